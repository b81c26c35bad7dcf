// How the start page looks, by day and by night.

export const STYLE = `:root{color-scheme:light dark;--ink:#1b1f2a;--soft:#5b6474;--paper:#fbfaf7;--card:#fff;--line:#e3dfd5;--you:#c2410c;--us:#0f766e}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#9aa3b5;--paper:#12151c;--card:#1a1e28;--line:#2b3140;--you:#fb923c;--us:#2dd4bf}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.6 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:46rem;margin:0 auto;padding:3rem 1.25rem 4rem}.mark{margin:0;font:600 .9rem/1 ui-monospace,Menlo,Consolas,monospace;letter-spacing:.12em;color:var(--us)}
h1{margin:.6rem 0 1rem;font-size:clamp(1.7rem,5vw,2.5rem);line-height:1.15;letter-spacing:-.02em;text-wrap:balance}
h2{margin:0 0 1rem;font-size:1.05rem}.lead{font-size:1.1rem;color:var(--soft)}
section{margin:1.5rem 0;padding:1.4rem 1.5rem;background:var(--card);border:1px solid var(--line);border-radius:14px}section p{margin:1rem 0 0}
svg{display:block;width:100%;height:auto;font:13px ui-monospace,Menlo,Consolas,monospace;fill:var(--ink)}
table{width:100%;border-collapse:collapse}th,td{padding:.5rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top}tr:first-child>*{border-top:0}
th{width:11rem;padding-right:1rem;font-weight:500;color:var(--soft)}td,b{font-variant-numeric:tabular-nums}
dl{margin:0}dt{margin-top:.8rem}dt:first-child{margin:0}dd{margin:.2rem 0 0;color:var(--soft)}code{font:.9rem ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
footer{color:var(--soft)}a{color:var(--us);margin-right:1rem}@media(max-width:34rem){th{width:8rem}}`
