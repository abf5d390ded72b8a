import { groupRules, heatRules } from './palette.js';

/** Light first; the dark scheme changes the variables and the heat map's colours. Nothing is loaded, fonts neither. */
const BASE = `
:root{color-scheme:light dark;--page:#fff;--ink:#1a2129;--soft:#5a6672;--line:#dfe4ea;--faint:#f5f7f9;--mark:#0b57d0;--warn:#8a5a00;--warn-page:#fff7e6;--static:#9aa5b1;--join:#5f7183;--transaction:#b3261e}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main,header.top,nav{max-width:1240px;margin:0 auto;padding:0 40px}
header.top{padding-top:56px}
h1{font-size:34px;line-height:1.2;font-weight:650;letter-spacing:-.015em;margin:0 0 8px}
h2{font-size:22px;line-height:1.3;font-weight:650;letter-spacing:-.01em;margin:0 0 8px}
h3{font-size:17px;font-weight:650;margin:0}
p{max-width:78ch;margin:0 0 14px;overflow-wrap:anywhere}
section{margin:64px 0 0;scroll-margin-top:24px}
section h3{margin-top:28px}
small,.source,.kind,.none,.figures,.with{color:var(--soft)}
small{font-size:.84em;font-weight:400}
.kind{font-size:13px;letter-spacing:.06em;text-transform:uppercase;margin:0 0 6px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
code{overflow-wrap:anywhere}
pre{margin:0 0 4px;white-space:pre-wrap;overflow-wrap:anywhere;color:var(--soft);max-height:9em;overflow:auto}
a{color:var(--mark)}
:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
nav{display:flex;flex-wrap:wrap;gap:4px 22px;margin-top:28px;font-size:15px}
nav a{text-decoration:none;white-space:nowrap}
nav a:hover{text-decoration:underline}
.skip{position:absolute;left:-999px}
.skip:focus{left:40px;top:12px}
footer{max-width:1240px;margin:64px auto 48px;padding:0 40px;color:var(--soft);font-size:14px}
.number,dd,.figures,.time,.scale{font-variant-numeric:tabular-nums}
.totals{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:20px 24px;margin:32px 0 0;padding:22px 0;border:solid var(--line);border-width:1px 0}
.totals div{display:flex;flex-direction:column-reverse;justify-content:flex-end}
.totals dt{color:var(--soft);font-size:14px;line-height:1.35}
.totals dd{margin:0;font-size:27px;font-weight:600;letter-spacing:-.01em}
.advice{margin-top:36px;padding:20px 24px 8px;background:var(--warn-page);border-left:4px solid var(--warn);border-radius:4px}
.advice h2{font-size:18px;color:var(--warn)}
ul{margin:0 0 14px;padding-left:20px}
li{max-width:90ch;overflow-wrap:anywhere}
.key{display:inline-block;min-width:1.55em;padding:0 .3em;border-radius:3px;color:#fff;font-size:12px;line-height:1.5;font-weight:600;text-align:center;font-variant-numeric:tabular-nums}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:6px 24px;padding:0;margin:0 0 8px;font-size:15px}
.detail{min-height:5.2em;margin:12px 0 0;padding:10px 14px;background:var(--faint);border-radius:4px;font-size:14px;white-space:pre-line;color:var(--soft);max-width:none}
details{margin:12px 0}
summary{cursor:pointer;color:var(--mark)}
`;

const TABLES = `
.tools{display:flex;flex-wrap:wrap;align-items:center;gap:8px 14px;margin:18px 0 12px;font-size:15px}
input,button{font:inherit;color:inherit;background:var(--page);border:1px solid var(--static);border-radius:5px;padding:4px 10px}
button{cursor:pointer;color:var(--mark)}
output{color:var(--soft);font-variant-numeric:tabular-nums}
.scale{margin-left:auto;color:var(--soft);font-size:13px;white-space:nowrap}
.scale i{display:inline-block;width:16px;height:12px;vertical-align:-1px}
.scroll{overflow:auto;max-height:82vh;border:1px solid var(--line);border-radius:6px}
.heat{border-collapse:separate;border-spacing:0;table-layout:fixed;width:100%;font-size:13px;line-height:1.3}
.heat .name{width:230px}
.heat .sum{width:84px}
.heat .cell{width:40px}
.heat.roomy .cell{width:58px}
.heat.long .name{width:320px}
.heat th,.heat td{padding:0 8px;text-align:left;font-weight:400;height:27px}
.heat thead th,.heat thead td{position:sticky;top:0;z-index:2;background:var(--page);border-bottom:1px solid var(--line);vertical-align:bottom;padding-bottom:8px;color:var(--soft)}
.heat .number{text-align:right}
.heat .many{font-weight:700}
.heat .corner,.heat tr.row>th{position:sticky;left:0;background:var(--page);border-right:1px solid var(--line)}
.heat thead .corner{z-index:3}
.heat tr.row>th{z-index:1;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.heat .service{padding:8px 0;text-align:left;vertical-align:bottom;color:var(--ink)}
.heat .service span{display:block;margin:0 auto;writing-mode:vertical-rl;transform:rotate(180deg);white-space:nowrap;max-height:190px;overflow:hidden;text-overflow:ellipsis;line-height:40px;width:40px}
.heat tr.group th{height:38px;vertical-align:bottom;padding-bottom:5px;font-weight:600;font-size:14px}
.heat tr.group span{position:sticky;left:8px}
.heat td.c{padding:0;text-align:center;border:solid var(--page);border-width:0 1px 1px 0;font-weight:600;cursor:default;letter-spacing:.02em}
.c{color:var(--static)}
.h0{color:var(--ink)}
.heat td.c:focus,.heat td.c:hover{outline:2px solid var(--mark);outline-offset:-2px}
.heat tr.row:hover>th{color:var(--mark)}
.wide{overflow-x:auto;margin:8px 0}
.list{border-collapse:collapse;width:100%;font-size:15px}
.list th{text-align:left;font-weight:500;color:var(--soft);font-size:13px;border-bottom:1px solid var(--line);padding:6px 20px 6px 0;white-space:nowrap}
.list td{padding:7px 20px 7px 0;vertical-align:top;overflow-wrap:anywhere}
.list tbody tr{border-top:1px solid var(--line)}
.list thead+tbody tr:first-child,.list tr.example{border-top:0}
.list .example td{padding-top:0;padding-bottom:10px}
.list .number{text-align:right;white-space:nowrap}
.list th.number,.list td.number{width:1%}
.list .time{white-space:nowrap}
.list .definitions{font-size:14px}
.portions{list-style:none;padding:0;margin:0}
`;

const REST = `
.bar{vertical-align:1px;margin-right:6px}
.bar .whole{fill:var(--line)}
.bar .part{fill:var(--join)}
.cards{list-style:none;padding:0;margin:24px 0 0;display:grid;grid-template-columns:minmax(0,1fr);gap:24px}
.card{max-width:none;border:1px solid var(--line);border-radius:8px;padding:22px 26px 16px;break-inside:avoid}
.card header{display:flex;align-items:baseline;gap:14px}
.card h3{font-size:20px;margin:0;overflow-wrap:anywhere}
.card .place{font-size:20px;font-weight:650;color:var(--soft);font-variant-numeric:tabular-nums}
.card .risk{margin-left:auto;color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
.card .risk b{color:var(--ink)}
.card .reason{margin:8px 0 16px;font-size:17px}
.card dl{display:grid;grid-template-columns:max-content 1fr;gap:5px 24px;margin:0 0 14px}
.card dt{color:var(--soft)}
.card dd{margin:0;overflow-wrap:anywhere}
.names code{display:inline-block;margin-right:10px}
.graph{display:block;width:100%;height:auto}
.graph.line{display:inline-block;width:34px;vertical-align:3px;margin-right:6px}
.edge{fill:none;stroke:var(--join);stroke-linecap:butt}
.edge.transaction{stroke:var(--transaction);stroke-dasharray:9 4}
.edge.static{stroke:var(--static);stroke-dasharray:2 4}
.edge:not(.static){opacity:.5}
.edge.crosses:not(.static){opacity:.95}
.graph.line .edge{opacity:1}
.node{cursor:pointer}
.node:focus{outline:none}
.node circle,.node rect{stroke:var(--page);stroke-width:2}
.node:focus circle,.node:focus rect,.node.pinned circle,.node.pinned rect{stroke:var(--mark);stroke-width:3}
.node text{text-anchor:middle;pointer-events:none}
.node .number{fill:#fff;font-size:11px;font-weight:600}
.node .label{fill:var(--ink);font-size:12.5px;paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}
.dim .edge:not(.lit),.dim .node:not(.lit){opacity:.1}
.dim .edge.lit{opacity:1}
[hidden]{display:none!important}
@media (max-width:700px){main,header.top,nav,footer{padding-left:16px;padding-right:16px}.heat .name{width:150px}.card dl{grid-template-columns:1fr}.card dd{margin-bottom:8px}}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
`;

const DARK = `@media screen and (prefers-color-scheme:dark){
:root{--page:#12161b;--ink:#e4e9ee;--soft:#9aa6b2;--line:#2a323b;--faint:#1a2027;--mark:#8ab4f8;--warn:#f0c060;--warn-page:#261f10;--static:#5f6b77;--join:#93a5b8;--transaction:#f28b82}
${heatRules('dark')}
}`;

/** On paper: all at once, no controls, and backgrounds kept, since they are figures. */
const PRINT = `@media print{
body{font-size:11pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main,header.top,footer{max-width:none;padding:0}
nav,.skip,.tools input,.tools button,.tools label,.detail{display:none}
.scroll,.wide,pre{overflow:visible;max-height:none;border:0}
.heat thead th,.heat .corner,.heat tr.row>th,.heat thead td{position:static}
section{margin-top:28px}
tr,.card header{break-inside:avoid}
h2,h3{break-after:avoid}
}`;

export const STYLE = [BASE, TABLES, groupRules(), heatRules('light'), REST, DARK, PRINT].join('\n');
