/** The report's style, for light and dark screens. */
export const style = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #6a737d; --line: #d8dee4; --bad: #b42318; --good: #1a7f37; --back: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #9198a1; --line: #3d444d; --bad: #ff7b72; --good: #3fb950; --back: #0d1117; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
.conditions { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 9px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
.missed { color: var(--bad); font-weight: 600; } .met { color: var(--good); } .wrong { fill: var(--bad); color: var(--bad); }
svg text { font: 12px system-ui, sans-serif; fill: var(--text); } svg .tick { stroke: var(--line); } svg .ours { stroke: var(--text); stroke-width: 2; }
svg.dot { width: 12px; height: 12px; margin-right: 5px; vertical-align: -1px; } .key { margin-right: 1.2rem; white-space: nowrap; }
g line { stroke-width: 3; opacity: .45; }
.raw { fill: #57606a; stroke: #57606a; } .tfjs { fill: #e8710a; stroke: #e8710a; } .jax { fill: #8250df; stroke: #8250df; }
.ort { fill: #0969da; stroke: #0969da; } .tfjs-wasm { fill: #f2b880; stroke: #f2b880; } .ort-cpu { fill: #7ab8f5; stroke: #7ab8f5; }
`;
