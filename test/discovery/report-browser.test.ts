import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { writeReport } from '../../src/discovery/report/write-report.js';
import { openBrowser, visit, whyNoBrowser } from './browser.js';
import { hostileDiscovery } from './hostile-discovery.js';
import { SHOP } from './sample-discovery.js';
import { SHOP_PROPOSAL } from './sample-proposal.js';
import { wideDiscovery, wideProposal } from './wide-discovery.js';

const reason = whyNoBrowser();
if (reason !== '') {
  t.pass('no browser', { skip: reason });
  process.exit();
}

const folder = await mkdtemp(join(tmpdir(), 'pgfig-report-'));
t.teardown(() => rm(folder, { recursive: true }));
const hostile = hostileDiscovery();
const shopPath = await writeReport(join(folder, 'shop'), SHOP, SHOP_PROPOSAL);
const hostilePath = await writeReport(join(folder, 'hostile'), hostile.discovery, hostile.proposal);
const widePath = await writeReport(join(folder, 'wide'), wideDiscovery(5_000, 60, 6), wideProposal(5_000));
// The hostile tables are the least used, so that the script draws them from the data.
const crowd = wideDiscovery(250, 60, 2).matrix.cells;
const few = hostile.discovery.matrix.cells.map((cell) => ({ ...cell, statements: 1 }));
const crowded = { ...hostile.discovery, matrix: { ...hostile.discovery.matrix, cells: [...crowd, ...few] } };
const crowdedPath = await writeReport(join(folder, 'crowded'), crowded, hostile.proposal);
const browser = await openBrowser();

t.test('the page opens from a file, loads nothing and complains of nothing', async (t) => {
  const { page, requests, complaints } = await visit(browser, shopPath);
  t.equal(await page.title(), 'pgfig discovery');
  t.equal(await page.locator('#heat tr.row:visible').count(), 12);
  t.equal(await page.locator('#graph-drawing .node').count(), 12);
  t.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, 'nothing sticks out');
  await page.setViewportSize({ width: 390, height: 800 });
  t.equal(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), true, 'nor on a telephone');
  await page.setViewportSize({ width: 1400, height: 900 });
  t.same(requests, []);
  t.same(complaints, []);
  const screenshot = process.env.PGFIG_SCREENSHOT;
  if (screenshot !== undefined && screenshot !== '') await page.screenshot({ path: screenshot, fullPage: true });
});

t.test('the policy stops what would be injected', async (t) => {
  const { page, complaints } = await visit(browser, shopPath);
  await page.evaluate(`(() => {
    const script = document.createElement('script');
    try { script.textContent = 'globalThis.injected = 1'; } catch {}
    document.body.append(script);
    const image = document.createElement('img');
    image.src = 'http://127.0.0.1:1/';
    document.body.append(image);
  })()`);
  t.equal(await page.evaluate('globalThis.injected'), undefined);
  t.ok(
    complaints.some((text) => /Content Security Policy/.test(text) && /127\.0\.0\.1/.test(text)),
    'and says so',
  );
});

t.test('hostile names stay text, also when they are pointed at and filtered', async (t) => {
  const { page, requests, complaints } = await visit(browser, hostilePath);
  for (const row of await page.locator('#heat tr.row td.c:not(:text-is("-"))').all()) await row.click();
  for (const node of await page.locator('#graph-drawing .node').all()) await node.dispatchEvent('click');
  await page.fill('#heat-filter', '<script>');
  t.match(await page.textContent('#heat-status'), /^4 shown of 4/);
  t.equal(await page.evaluate('globalThis.injected'), undefined);
  t.equal(
    await page.locator('img, iframe, object, embed, link, main script:not([type="application/json"])').count(),
    0,
  );
  t.equal(await page.locator('svg:not(.graph):not(.bar)').count(), 0);
  t.same(requests, []);
  t.same(complaints, []);
});

t.test('hostile names stay text where the script draws them', async (t) => {
  const { page, requests, complaints } = await visit(browser, crowdedPath);
  t.equal(await page.locator('#heat tr.row').count(), 200);
  await page.fill('#heat-filter', '<script>');
  t.match(await page.textContent('#heat-status'), /^4 shown of 4/);
  const row = page.locator('#heat tr.row:visible', { hasText: 'injected = 2' });
  t.equal(await row.locator('th').textContent(), 'public.</script><script>globalThis.injected = 2</script>');
  await row.locator('td.c:not(:text-is("-"))').click();
  t.match(await page.textContent('#heat-detail'), /injected = 2/);
  await page.fill('#heat-filter', '');
  await page.click('#heat-all');
  t.equal(await page.evaluate('globalThis.injected'), undefined);
  t.equal(await page.locator('img, iframe, svg:not(.graph):not(.bar)').count(), 0);
  t.same(requests, []);
  t.same(complaints, []);
});

t.test('the filter finds tables by a part of their name', async (t) => {
  const { page } = await visit(browser, shopPath);
  await page.fill('#heat-filter', 'SHIP');
  t.same(await page.locator('#heat tr.row:visible > th').allTextContents(), [
    'public.shipment_events',
    'public.shipments',
  ]);
  t.equal(await page.textContent('#heat-status'), '2 shown of 2 that match');
  t.equal(await page.locator('#heat tbody:visible').count(), 1, 'no group without a table');
  await page.fill('#heat-filter', 'no such table');
  t.equal(await page.locator('#heat tr.row:visible').count(), 0);
  await page.fill('#heat-filter', '');
  t.equal(await page.locator('#heat tr.row:visible').count(), 12);
  t.equal(await page.textContent('#heat-status'), '12 of 12 tables');
});

t.test('a wide matrix opens with its busiest tables and shows all when asked', async (t) => {
  const { page, complaints } = await visit(browser, widePath);
  t.equal(await page.locator('#heat tr.row').count(), 200);
  await page.fill('#heat-filter', 'number_4711');
  t.equal(await page.locator('#heat tr.row:visible').count(), 1, 'found though it was not drawn');
  t.match(
    await page
      .locator('#heat tr.row:visible td.c.h1, #heat tr.row:visible td.c.h2, #heat tr.row:visible td.c.h4')
      .first()
      .getAttribute('title'),
    /^service-\d+: public\.some_table_number_4711\n[\d,]+ statements \((R|W)\)$/,
  );
  await page.fill('#heat-filter', 'some_table');
  t.equal(await page.locator('#heat tr.row:visible').count(), 200);
  await page.fill('#heat-filter', '');
  t.equal(await page.locator('#heat tr.row:visible').count(), 200);
  const took = await page.evaluate<number>(`(() => {
    const start = performance.now();
    document.getElementById('heat-all').click();
    document.getElementById('heat').getBoundingClientRect();
    return performance.now() - start;
  })()`);
  t.ok(took < 10_000, `all rows after ${Math.round(took)} ms`);
  await page.evaluate('document.querySelector(".scroll").scrollTo(0, 1e9)');
  await page.locator('#heat tbody:last-child tr.row:last-child td.c').first().waitFor();
  t.pass('cells are made where the reader scrolls to');
  t.equal(await page.evaluate('document.querySelectorAll("#heat tr.row:not([hidden])").length'), 5_000);
  t.equal(await page.isVisible('#heat-all'), false);
  t.equal(
    await page.evaluate(
      'new Set([...document.querySelectorAll("#heat tr.row > th")].map((head) => head.textContent)).size',
    ),
    5_000,
    'each once',
  );
  t.equal(
    await page.evaluate(
      '[...document.querySelectorAll("#heat tr.row")].every((row) => row.querySelector("td.filler").colSpan + row.cells.length === 65)',
    ),
    true,
  );
  t.same(complaints, []);
});

t.test('the keyboard reaches the figures of each cell', async (t) => {
  const { page } = await visit(browser, shopPath);
  await page.focus('#heat-filter');
  await page.keyboard.press('Tab');
  t.equal(
    await page.evaluate('document.activeElement.className.startsWith("c")'),
    true,
    'one stop for the whole table',
  );
  const text = async (): Promise<string> => (await page.textContent('#heat-detail')) ?? '';
  t.match(await text(), /^account-service: public\.users\n4,210,300 reads, 18,420 writes/);
  await page.keyboard.press('ArrowDown');
  t.match(await text(), /^account-service: public\.sessions\n/);
  for (let step = 0; step < 2; step += 1) await page.keyboard.press('ArrowDown');
  t.match(await text(), /public\.shipments/, 'on into the next group');
  await page.keyboard.press('ArrowRight');
  t.notMatch(await text(), /^account-service/);
  await page.keyboard.press('Tab');
  t.equal(await page.evaluate('document.activeElement.closest("#heat")'), null, 'and out again');
});

t.test('a table in the graph shows its neighbours alone', async (t) => {
  const { page } = await visit(browser, shopPath);
  const lit = async (): Promise<readonly string[]> =>
    (await page.locator('#graph-drawing .node.lit .label').allTextContents()).sort();
  const payments = page.locator('#graph-drawing .node', { hasText: 'payments' });
  await payments.locator('circle').hover();
  t.same(await lit(), ['orders', 'payments']);
  t.equal(
    await page.evaluate('Number(getComputedStyle(document.querySelector(".node:not(.lit)")).opacity) < 0.3'),
    true,
    'the rest is dim',
  );
  t.match(await page.textContent('#graph-detail'), /public\.orders and public\.payments: 249,000 transactions/);
  await page.mouse.move(2, 2);
  t.same(await lit(), []);

  await payments.locator('circle').click();
  await page.mouse.move(2, 2);
  t.same(await lit(), ['orders', 'payments'], 'a click keeps it');
  t.equal(await payments.getAttribute('aria-pressed'), 'true');
  await page.keyboard.press('Escape');
  t.equal(await payments.getAttribute('aria-pressed'), 'false');
  await payments.evaluate((element: { blur(): void }) => element.blur());
  t.same(await lit(), []);

  await page.locator('#graph-drawing .node').first().focus();
  t.same(await lit(), ['orders', 'reviews', 'sessions', 'users'], 'so does the focus');
  await page.keyboard.press('ArrowRight');
  t.same(await lit(), ['sessions', 'users']);
  await page.keyboard.press('Enter');
  t.equal(await page.locator('#graph-drawing .node.pinned').count(), 1);
});

t.test('dark where the reader has it dark, all rows on paper', async (t) => {
  const background = 'getComputedStyle(document.body).backgroundColor';
  const { page: light } = await visit(browser, shopPath, { colorScheme: 'light' });
  t.equal(await light.evaluate(background), 'rgb(255, 255, 255)');
  const { page: dark } = await visit(browser, shopPath, { colorScheme: 'dark' });
  t.equal(await dark.evaluate(background), 'rgb(18, 22, 27)');
  t.not(
    await dark.evaluate('getComputedStyle(document.querySelector("td.h5")).backgroundColor'),
    await light.evaluate('getComputedStyle(document.querySelector("td.h5")).backgroundColor'),
  );
  const screenshot = process.env.PGFIG_SCREENSHOT_DARK;
  if (screenshot !== undefined && screenshot !== '') await dark.screenshot({ path: screenshot, fullPage: true });
  await dark.emulateMedia({ media: 'print', colorScheme: 'dark' });
  t.equal(
    await dark.evaluate('getComputedStyle(document.documentElement).getPropertyValue("--page")'),
    '#fff',
    'paper is white',
  );
  t.equal(await dark.isVisible('#heat-filter'), false);
  t.equal(await dark.evaluate('getComputedStyle(document.querySelector(".scroll")).maxHeight'), 'none');
});
