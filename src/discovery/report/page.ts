import { createHash } from 'node:crypto';
import type { Discovery } from '../discovery.js';
import type { Proposal } from '../proposal.js';
import { notes, opaque } from './closing.js';
import { crossings } from './crossings.js';
import { graphSection } from './graph-svg.js';
import { groupsOf } from './groups.js';
import { heatMap } from './heat-map.js';
import { html, trusted } from './html.js';
import { advice, opening } from './opening.js';
import { proposalSection } from './proposal-section.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { writers } from './writers.js';

/**
 * One page with all in it, nothing loaded from elsewhere. The policy lets this style and this script run and nothing
 * else: what a hostile name would slip past the escaping still could not run, load or send anything.
 */
export function pageOf(discovery: Discovery, proposal: Proposal): string {
  const groups = groupsOf(discovery, proposal);
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    `script-src ${hashOf(SCRIPT)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>pgfig discovery</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
${opening(discovery, proposal, groups)}
<nav aria-label="Sections"><a href="#heat-map">Who uses what</a><a href="#graph">Graph</a><a href="#joins">Joins</a><a href="#transactions">Transactions</a><a href="#writers">Writers</a><a href="#proposal">Proposal</a><a href="#opaque">Not seen through</a><a href="#notes">Notes</a></nav>
<main id="content">
${advice(proposal)}
${heatMap(discovery, groups)}
${graphSection(discovery, groups)}
${crossings(discovery, groups)}
${writers(discovery, proposal, groups)}
${proposalSection(proposal)}
${opaque(discovery)}
${notes(discovery)}
</main>
<footer>Made by pgfig discover. The page loads nothing and sends nothing.</footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.text;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}'`;
