// Finding a browser for the page tests, and saying loudly when there is none.
import fs from 'node:fs';

const CI = process.env.CI === 'true';

/** The system's Chromium, or undefined. */
export const chromiumPath = process.env.CHROMIUM
  ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => fs.existsSync(p));

/** Software WebGL, so that the map draws the same on every machine. */
export const flags = ['--no-sandbox', '--disable-dev-shm-usage', '--use-gl=angle', '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist', '--force-color-profile=srgb', '--hide-scrollbars'];

/** Why the browser tests cannot run here, or undefined; under CI=true that is an error. */
export function cannotRun() {
  const why = !process.env.SEMPADAN_URL ? 'SEMPADAN_URL is not set: start `sempadan serve --demo` and name its address'
    : !chromiumPath ? 'no Chromium found: install chromium or set CHROMIUM=/path/to/it' : undefined;
  if (!why) return undefined;
  if (CI) throw new Error(`page tests did not run: ${why}`);
  console.error(`\n*** PAGE TESTS SKIPPED: ${why} ***\n`);
  return why;
}
