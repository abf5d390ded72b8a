import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { cutAt, figure, minute, share, short } from '../../src/discovery/report/format.js';
import { layOut } from '../../src/discovery/report/graph-layout.js';
import { graphModel } from '../../src/discovery/report/graph-model.js';
import { groupsOf } from '../../src/discovery/report/groups.js';
import { levelOf } from '../../src/discovery/report/heat-rows.js';
import { html, jsonBlock } from '../../src/discovery/report/html.js';
import { pageOf } from '../../src/discovery/report/page.js';
import { writeReport } from '../../src/discovery/report/write-report.js';
import { HOSTILE_NAMES, hostileDiscovery } from './hostile-discovery.js';
import { SHOP } from './sample-discovery.js';
import { SHOP_PROPOSAL } from './sample-proposal.js';
import { wideDiscovery, wideProposal } from './wide-discovery.js';

const NOTHING_SEEN = {
  ...SHOP,
  since: null,
  until: null,
  matrix: { cells: [], pairs: [] },
  graph: null,
  domains: new Map<string, string>(),
  notes: [],
};
const NO_PROPOSAL = { contexts: [], unplaced: [], modularity: 0, advice: [], sharedWriters: [] };

t.test('a value is escaped, markup made here is not', async (t) => {
  t.equal(
    html`<b title="${'"<\'`&'}">${html`<i>${1}</i>`}${null}${['<', 'x']}</b>`.text,
    '<b title="&quot;&lt;&#39;&#96;&amp;"><i>1</i>&lt;x</b>',
  );
  t.equal(
    html`${'a\u2028b\u202ec\u0000d\te\nf'}`.text,
    'a⟨U+2028⟩b⟨U+202E⟩c⟨U+0000⟩d\te\nf',
    'what cannot be seen is shown',
  );
  t.equal(html`${'\ud800'} ${'😀'}`.text, '⟨U+D800⟩ 😀', 'a whole character of two units stays');
  const block = jsonBlock('x', { name: '</script><!--\u2028&' }).text;
  t.equal(block.match(/<\/script>/g)?.length, 1);
  t.notMatch(block, /<!--|\u2028/);
  t.same(JSON.parse(block.replace(/^[^>]*>|<\/script>$/g, '')), { name: '</script><!--\u2028&' });
});

t.test('figures are the same on each machine', async (t) => {
  t.equal(figure(1234567), '1,234,567');
  t.equal(figure(999), '999');
  t.same([0, 950, 1000, 9960, 12_345, 999_499, 999_600, 3_420_000].map(short), [
    '0',
    '950',
    '1k',
    '10k',
    '12k',
    '999k',
    '1M',
    '3.4M',
  ]);
  t.same([0, 0.004, 0.5, 0.999, 1].map(share), ['0%', '<1%', '50%', '99%', '100%']);
  t.same([null, 0, Date.UTC(2026, 10, 27, 19, 6), Number.NaN, 1e300].map(minute), ['', '', '2026-11-27 19:06', '', '']);
  t.equal(cutAt('ab😀', 3), 'ab …', 'not in the middle of a character');
  t.same(
    [0, 1, 10, 1000, 1_000_000].map((count) => levelOf(count, 1_000_000)),
    [0, 1, 2, 5, 9],
  );
});

t.test('the shop has all its parts', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pgfig-report-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = await writeReport(join(folder, 'not', 'there'), SHOP, SHOP_PROPOSAL);
  t.equal(path, join(folder, 'not', 'there', 'discovery.html'));
  const page = await readFile(path, 'utf8');
  t.equal(page, pageOf(SHOP, SHOP_PROPOSAL));
  const order = ['advice', 'heat-map', 'graph', 'joins', 'transactions', 'writers', 'proposal', 'opaque', 'notes'];
  const places = order.map((id) => page.indexOf(`<section id="${id}"`));
  t.ok(places.every((place) => place > 0));
  t.same(
    places,
    [...places].sort((a, b) => a - b),
    'in this order',
  );
  t.match(page, /From csvlog of 14 files\. 2026-11-09 06:00 to 2026-11-23 06:00 UTC, 14 days\./);
  t.match(page, / accounts <small>domain, 2 tables</);
  t.match(page, / shipping <small>proposed context, 3 tables</);
  for (const letters of ['R', 'W', 'RW', 'RWD', 'x'])
    t.match(page, new RegExp(`<td class="c h\\d" title="[^"]+">${letters}</td>`));
  t.match(page, /1 table of the database without a statement[\s\S]{0,80}coupons_2019/);
  t.notMatch(withoutCode(page), /\s(style|on[a-z]+)=|href="(?!#)|src=|undefined|NaN/, 'nothing that would load or run');
});

t.test('crossings are by domain where both have one, else by context, the most frequent first', async (t) => {
  const joins = sectionOf(pageOf(SHOP, SHOP_PROPOSAL), 'joins');
  const counts = [...joins.matchAll(/<tr><td class="number">([\d,]+)<\/td><td class="number">([\d,-]+)</g)].map(
    ([, count, refused]) => [count, refused],
  );
  t.same(counts, [
    ['702,000', '-'],
    ['310,000', '-'],
    ['96,400', '-'],
    ['48,900', '37'],
  ]);
  const transactions = sectionOf(pageOf(SHOP, SHOP_PROPOSAL), 'transactions');
  t.match(transactions, /2 entries, 482,000 transactions/);
  t.match(transactions, /UPDATE inventory[\s\S]*INSERT INTO order_items/, 'both statements');

  const sameDomain = {
    ...SHOP,
    domains: new Map(['orders', 'order_items', 'inventory'].map((name) => [`public.${name}`, 'shop'])),
  };
  t.match(sectionOf(pageOf(sameDomain, SHOP_PROPOSAL), 'transactions'), /None was seen/, 'today one domain has both');
});

t.test('nothing at all is a page too', async (t) => {
  const page = pageOf(NOTHING_SEEN, NO_PROPOSAL);
  t.match(page, /No statement has been counted/);
  t.match(page, /No table was written/);
  t.match(page, /When the statements ran is not known/);
  t.notMatch(page, /<section id="advice"/);
  const one = { ...NOTHING_SEEN, matrix: { cells: SHOP.matrix.cells.slice(0, 1), pairs: [] } };
  t.notMatch(withoutCode(pageOf(one, NO_PROPOSAL)), /NaN|Infinity|undefined/);
});

t.test('no name or statement becomes markup', async (t) => {
  const { discovery, proposal } = hostileDiscovery();
  const page = pageOf(discovery, proposal);
  const plain = pageOf(SHOP, SHOP_PROPOSAL);
  t.same(namesOfTags(page), namesOfTags(plain), 'no other element than in a harmless page');
  t.equal(page.match(/<script/g)?.length, 2);
  t.equal(page.match(/<\/script/g)?.length, 2);
  for (const unseen of ['\u2028', '\u2029', '\u202e', '\u0000', '\u001b', '\ud800']) t.notOk(page.includes(unseen));
  for (const name of HOSTILE_NAMES.filter((name) => /[<"']/.test(name)))
    t.notOk(withoutCode(page).includes(name), name);
});

t.test('the same input in any order gives the same page', async (t) => {
  const page = pageOf(SHOP, SHOP_PROPOSAL);
  const { cells, pairs } = SHOP.matrix;
  const turned = { ...SHOP, matrix: { cells: [...cells].reverse(), pairs: [...pairs].reverse() } };
  t.equal(pageOf(SHOP, SHOP_PROPOSAL), page);
  t.equal(pageOf(turned, SHOP_PROPOSAL), page);
});

t.test('labels of the graph do not lie on each other', async (t) => {
  const model = graphModel(SHOP, groupsOf(SHOP, SHOP_PROPOSAL));
  t.equal(model.nodes.length, 12);
  t.ok(model.nodes.find(({ table }) => table === 'public.product_ratings')?.isView);
  const labels = model.nodes.map(({ table }) => table);
  const { places, width, height } = layOut(
    model,
    labels,
    labels.map(() => 12),
  );
  for (const [i, a] of places.entries()) {
    t.ok(a.x > 0 && a.x < width && a.y > 0 && a.y < height, 'inside');
    for (const [j, b] of places.entries()) {
      if (j <= i) continue;
      const apart =
        Math.abs(a.x - b.x) > ((labels[i]?.length ?? 0) + (labels[j]?.length ?? 0)) * 3.3 || Math.abs(a.y - b.y) > 38;
      t.ok(apart, `${labels[i]} and ${labels[j]}`);
    }
  }
});

t.test('5,000 tables of 60 services stay a few megabytes', async (t) => {
  const page = pageOf(wideDiscovery(5_000, 60, 6), wideProposal(5_000));
  t.ok(page.length < 3_000_000, `six services for each table: ${page.length} bytes`);
  t.equal(page.match(/<tr class="row">/g)?.length, 200);
  t.match(page, /Show all 5,000 tables/);
  t.match(page, /busiest 150 of 5,000 tables, and the heaviest \d+ of [\d,]+ lines/);
  const dense = pageOf(wideDiscovery(5_000, 60, 60), wideProposal(5_000));
  t.ok(dense.length < 8_000_000, `each service on each table: ${dense.length} bytes`);
});

const sectionOf = (page: string, id: string): string =>
  page.split(`<section id="${id}"`)[1]?.split('</section>')[0] ?? '';

const withoutCode = (page: string): string => page.replace(/<(style|script)[\s\S]*?<\/\1>/g, '');

const namesOfTags = (page: string): readonly string[] => {
  const markup = withoutCode(page);
  return [...new Set([...markup.matchAll(/<([a-z][a-z0-9]*)/g)].map(([, name]) => name ?? ''))].sort();
};
