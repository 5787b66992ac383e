// Bundles the page into dist/: two entry points, hashed assets, nothing
// fetched from anywhere else at run time.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(fileURLToPath(import.meta.url));
const at = (...p) => path.join(root, ...p);
const maplibre = at('node_modules/maplibre-gl');
const dist = at('dist');

for (const name of fs.readdirSync(dist)) {
  if (name !== '.keep') fs.rmSync(path.join(dist, name), { recursive: true });
}
fs.mkdirSync(at('dist/assets'));

const worker = asset(
  'maplibre-gl-worker',
  '.mjs',
  fs.readFileSync(path.join(maplibre, 'dist/maplibre-gl-worker.mjs'), 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'),
);

const icon = asset('favicon', '.svg', fs.readFileSync(at('src/favicon.svg'), 'utf8'));

const result = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts', 'src/embed.ts'],
  outdir: 'dist/assets',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  metafile: true,
  legalComments: 'eof',
  define: { WORKER_URL: JSON.stringify('/' + worker) },
});

const outputs = Object.entries(result.metafile.outputs);
for (const page of ['index', 'embed']) {
  const entry = page === 'index' ? 'src/main.ts' : 'src/embed.ts';
  const [js, meta] = outputs.find(([, o]) => o.entryPoint === entry);
  const html = fs.readFileSync(at(`src/${page}.html`), 'utf8')
    .replace('{{script}}', '/' + path.relative('dist', js))
    .replaceAll('{{icon}}', '/' + icon)
    .replace('{{style}}', '/' + path.relative('dist', meta.cssBundle));
  fs.writeFileSync(at(`dist/${page}.html`), html);
}
fs.copyFileSync(at('src/favicon.ico'), path.join(dist, 'favicon.ico'));
fs.copyFileSync(path.join(maplibre, 'LICENSE.txt'), at('dist/assets/LICENSE.maplibre.txt'));

for (const [name, o] of outputs) console.log(`${String(Math.round(o.bytes / 1024)).padStart(6)} KiB  ${name}`);

/** Writes text under its content hash and returns the path relative to dist. */
function asset(name, ext, text) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const file = `assets/${name}-${hash}${ext}`;
  fs.writeFileSync(path.join(dist, file), text);
  return file;
}
