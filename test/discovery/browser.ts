import { accessSync, constants } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { onTeardown } from '../support/teardown.js';

const PROGRAM = '/usr/bin/chromium';

/** '' where there is a browser; else why a test cannot have one. CI installs it, so there it has to be. */
export function whyNoBrowser(): string {
  try {
    accessSync(PROGRAM, constants.X_OK);
    return '';
  } catch {
    if (process.env.CI !== undefined && process.env.CI !== '') throw new Error(`${PROGRAM} is missing`);
    return `${PROGRAM} is not installed (Debian and Ubuntu: the package chromium)`;
  }
}

export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  await onTeardown(() => browser.close());
  return browser;
}

export interface Visit {
  readonly page: Page;
  /** What the page asked for, itself left out. */
  readonly requests: readonly string[];
  /** Errors of the script, and what the console was told: a breach of the policy too. */
  readonly complaints: readonly string[];
}

export async function visit(browser: Browser, path: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  const address = pathToFileURL(path).href;
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== address) requests.push(request.url());
  });
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(address);
  return { page, requests, complaints };
}
