// The browser and the service for the page tests; says loudly when there is none.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const CI = process.env.CI === 'true';

/** The system's Chromium, or undefined. */
export const chromiumPath = process.env.CHROMIUM
  ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => fs.existsSync(p));

/** Software WebGL, so that the map draws the same on every machine. */
export const flags = ['--no-sandbox', '--disable-dev-shm-usage', '--use-gl=angle', '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist', '--force-color-profile=srgb', '--hide-scrollbars'];

/** The program that make builds. */
export const program = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../sempadan');

/**
 * The service to test: the one that SEMPADAN_URL names, or one of our own with
 * the demo and an empty store, gone again after stop(). With args it is our own,
 * started so.
 */
export async function startService(args) {
  if (process.env.SEMPADAN_URL && !args) return { base: process.env.SEMPADAN_URL.replace(/\/$/, ''), stop() {} };
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sempadan-page-'));
  const child = spawn(program, args ?? ['serve', '--demo', '--listen', '127.0.0.1:0', '--store', path.join(dir, 'page.gpkg')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const base = await new Promise((found, failed) => {
    let said = '';
    child.stdout.on('data', (b) => { said += b; const url = said.match(/http:\/\/[\d.:]+/); if (url) found(url[0]); });
    child.on('exit', (code) => failed(new Error(`the service ended with ${code}`)));
  });
  return {
    base,
    async stop() {
      const gone = new Promise((done) => child.on('exit', done));
      child.kill();
      await gone;
      fs.rmSync(dir, { recursive: true });
    },
  };
}

/** Why the browser tests cannot run here, or undefined; under CI=true that is an error. */
export function cannotRun() {
  const why = !process.env.SEMPADAN_URL && !fs.existsSync(program) ? 'there is no program: run make build, or set SEMPADAN_URL to a running service'
    : !chromiumPath ? 'no Chromium found: install chromium or set CHROMIUM=/path/to/it' : undefined;
  if (!why) return undefined;
  if (CI) throw new Error(`page tests did not run: ${why}`);
  console.error(`\n*** PAGE TESTS SKIPPED: ${why} ***\n`);
  return why;
}
