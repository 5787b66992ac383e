// An OpenID Connect provider for the page tests: one person, always signed in,
// who consents. The Go tests have a real one.
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';

const text = (v) => Buffer.from(JSON.stringify(v)).toString('base64url');

/** Starts it; groups are those of the person, and may be changed. */
export async function startProvider(groups) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map();
  const state = { groups, down: false, issuer: '' };
  const server = http.createServer((req, res) => {
    const url = new URL(req.url, state.issuer);
    const json = (v) => { res.setHeader('Content-Type', 'application/json'); res.end(JSON.stringify(v)); };
    if (state.down) { res.statusCode = 500; return res.end(); }
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json({ issuer: state.issuer, authorization_endpoint: `${state.issuer}/authorize`, token_endpoint: `${state.issuer}/token`, jwks_uri: `${state.issuer}/keys` });
      case '/keys':
        return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'RS256' }] });
      case '/authorize': {
        const code = randomBytes(16).toString('hex');
        codes.set(code, Object.fromEntries(url.searchParams));
        res.writeHead(302, { Location: `${url.searchParams.get('redirect_uri')}?code=${code}&state=${url.searchParams.get('state')}` });
        return res.end();
      }
      case '/token': {
        let body = '';
        req.on('data', (b) => { body += b; });
        return req.on('end', () => {
          const q = new URLSearchParams(body);
          const asked = codes.get(q.get('code'));
          codes.delete(q.get('code'));
          if (!asked || createHash('sha256').update(q.get('code_verifier')).digest('base64url') !== asked.code_challenge) { res.statusCode = 400; return json({ error: 'invalid_grant' }); }
          const now = Math.floor(Date.now() / 1000);
          const head = `${text({ alg: 'RS256', kid: 'k', typ: 'JWT' })}.${text({ iss: state.issuer, sub: 'p1', aud: asked.client_id, iat: now, exp: now + 300, nonce: asked.nonce, groups: state.groups })}`;
          return json({ access_token: 'x', token_type: 'Bearer', id_token: `${head}.${createSign('RSA-SHA256').update(head).sign(privateKey).toString('base64url')}` });
        });
      }
      default:
        res.statusCode = 404;
        return res.end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  state.issuer = `http://127.0.0.1:${server.address().port}`;
  return Object.assign(state, { stop: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) });
}
