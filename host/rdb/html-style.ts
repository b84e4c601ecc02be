// How the HTML report looks: system fonts, light and dark as the reader's system has it, printable.

export const REPORT_CSS = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#667;--line:#dde;--fill:#3b6fd4;
--card:#f5f7fa;--l:82%;--s:55%;
--warn:#b3261e;--note:#946200;--info:#3b6fd4}
@media (prefers-color-scheme:dark){:root{
--bg:#14171b;--fg:#e6e8eb;--soft:#99a;--line:#30343b;--fill:#7aa2f7;
--card:#1d2127;--l:30%;--s:40%;
--warn:#f2857c;--note:#e0b050;--info:#7aa2f7}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}
header,main,footer{max-width:72rem;margin:0 auto;padding:0 1rem}
h1{font-size:1.5rem;overflow-wrap:anywhere}
h2{margin:2.2rem 0 .6rem;font-size:1.2rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1rem 0 .3rem}
footer{color:var(--soft);padding:2rem 1rem}
small,.none,.numbers,figcaption{color:var(--soft)}
.numbers{font-size:.8rem}
code{font:13px ui-monospace,monospace;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem}
.card{background:var(--card);border-radius:8px;padding:.7rem .9rem}
.card b{display:block;font-size:1.3rem}
.card span{color:var(--soft)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem;margin:0}
dt{color:var(--soft)}dd{margin:0}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.4rem 0 1.2rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:600}
.text{text-align:left;white-space:normal}
.bar{display:inline-block;width:5rem;height:.6rem;margin-right:.4rem;
background:var(--line);border-radius:3px;overflow:hidden}
.bar i{display:block;height:100%;background:var(--fill)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1rem}
figure{margin:0}
svg{width:100%;height:auto;display:block}
svg text{fill:var(--fg);font:10px system-ui,sans-serif}
.columns text{text-anchor:middle;fill:var(--soft)}
.columns rect{fill:var(--fill)}
.map rect{fill:hsl(var(--h) var(--s) var(--l));stroke:var(--bg);stroke-width:1}
.map .l1{fill-opacity:.75}.map .l2{fill-opacity:.6}
article{border-left:4px solid var(--info);background:var(--card);
padding:.4rem .9rem;margin:.6rem 0;border-radius:0 8px 8px 0}
article.warning{border-color:var(--warn)}article.notice{border-color:var(--note)}
article h3{margin:.2rem 0}article p,article ul{margin:.3rem 0}
.saving{float:right;color:var(--soft);font-weight:400}
.damage{border:1px solid var(--warn);color:var(--warn);border-radius:8px;padding:.6rem .9rem}
@media print{section{break-inside:avoid}}
`;
