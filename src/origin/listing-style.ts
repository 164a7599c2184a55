/** An icon of the listing: shapes on a grid of 24, drawn in the colour of the text around it. */
function glyph(shapes: string): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">${shapes}</svg>`
  return `url("data:image/svg+xml,${encodeURIComponent(svg).replaceAll('%20', ' ').replaceAll('%3D', '=').replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%22', "'")}")`
}
const sheet = '<path d="M6 3h8l5 5v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM14 3v5h5"/>'

/** The style of the directory page. Its hash stands in the Content-Security-Policy. */
export const style = `:root{color-scheme:light dark;--bg:#f6f8fa;--box:#fff;--fg:#1c2127;--dim:#57606a;--line:#d5dbe1;--hover:#eef4fb;--link:#0b57b0;--dir:#0b57b0;--icon:#6a737d}
@media (prefers-color-scheme:dark){:root{--bg:#0e1217;--box:#151b22;--fg:#e4e8ec;--dim:#9aa5b1;--line:#2b343e;--hover:#1c2631;--link:#82bcff;--dir:#82bcff;--icon:#8b96a2}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.5rem 1rem 4rem;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
nav ol{display:flex;flex-wrap:wrap;gap:.25rem;margin:0;padding:0;list-style:none;font-size:.9rem;overflow-wrap:anywhere}
nav li+li::before{content:"/" / "";padding-right:.25rem;color:var(--dim)}nav li[aria-current]{color:var(--dim)}
.top{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem 1rem;margin:.25rem 0 1rem}
h1{margin:0;font-size:1.75rem;line-height:1.25;overflow-wrap:anywhere}
.sum{margin:0;color:var(--dim);font-size:.9rem;margin-right:auto}
.note{padding:.6rem .9rem;border:1px solid var(--line);border-radius:8px;background:var(--box)}
button{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer}
.zip,.act,td button{border:1px solid var(--line);border-radius:6px;background:var(--box);color:var(--link)}
.zip,.act{padding:.3rem .8rem;font-size:.9rem}td button{padding:0 .5rem;font-size:.75rem;line-height:1.6}
.zip:hover,.act:hover,td button:hover{border-color:var(--link)}
.up{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem .75rem;margin:0 0 .75rem;padding:.5rem .75rem;border:1px dashed var(--line);border-radius:8px;font-size:.9rem;color:var(--dim)}.up.over{border-color:var(--link);background:var(--hover)}.up :disabled{opacity:.5}
.filter{margin:0 0 .75rem;font-size:.9rem;color:var(--dim)}.filter[hidden]{display:none}
input{font:inherit;color:var(--fg);background:var(--box);border:1px solid var(--line);border-radius:6px;padding:.3rem .6rem;width:16rem;max-width:60vw;margin-left:.25rem}
.box{border:1px solid var(--line);border-radius:10px;background:var(--box);overflow:clip}
table{width:100%;border-collapse:collapse}
th{text-align:left;font-size:.85rem;font-weight:600;color:var(--dim);background:var(--bg);position:sticky;top:0}
th,td{padding:.4rem .75rem;border-bottom:1px solid var(--line)}tr:last-child td{border-bottom:0}
th form{margin:0}th button{font-weight:600}th button:hover{color:var(--link)}small{font-weight:400}
[aria-sort] button{color:var(--fg)}[aria-sort=ascending] button::after{content:" \\2191" / ""}[aria-sort=descending] button::after{content:" \\2193" / ""}
tbody tr:hover{background:var(--hover)}
td:first-child{width:100%;overflow-wrap:anywhere}
td:not(:first-child){white-space:nowrap;color:var(--dim);font-size:.9rem;font-variant-numeric:tabular-nums}
th:nth-child(2),td:nth-child(2){text-align:right}
td:first-child a{display:flex;gap:.6rem;align-items:flex-start;color:var(--fg)}.d a:link{color:var(--dir);font-weight:500}
td:first-child a::before{content:"";flex:none;width:1.2rem;height:1.5rem;background:var(--icon);-webkit-mask:var(--g) center/contain no-repeat;mask:var(--g) center/contain no-repeat}
.d a::before{background:var(--dir)!important}
tr{--g:${glyph(sheet)}}
.d{--g:${glyph('<path d="M3 6.5A1.5 1.5 0 0 1 4.5 5H9l2.2 2.5h8.3A1.5 1.5 0 0 1 21 9v8.5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z" fill="#000" fill-opacity=".18"/>')}}
.u{--g:${glyph('<path d="M9 19h6a4 4 0 0 0 0-8H5M9 7l-4 4 4 4"/>')}}
.i{--g:${glyph('<rect x="3.5" y="4.5" width="17" height="15" rx="2"/><circle cx="9" cy="10" r="1.7"/><path d="m4 18 5-4.5 3.5 3 3-2.5 4.5 4"/>')}}
.v{--g:${glyph('<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="m10.5 9.5 4.5 2.5-4.5 2.5z" fill="#000"/>')}}
.a{--g:${glyph('<path d="M9 17.5V6l10-2v11.5"/><circle cx="6.7" cy="17.5" r="2.3"/><circle cx="16.7" cy="15.5" r="2.3"/>')}}
.z{--g:${glyph(`${sheet}<path d="M10 4v2m0 1.5v2m0 1.5v2m-1.2 2h2.4v3H8.8z"/>`)}}
.t{--g:${glyph(`${sheet}<path d="M8.5 12h7m-7 3h7m-7 3h4"/>`)}}
.c{--g:${glyph(`${sheet}<path d="m10.5 12-2.5 2.5 2.5 2.5m3-5 2.5 2.5-2.5 2.5"/>`)}}
.off{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (max-width:40rem){body{padding:1rem .5rem 3rem}th,td{padding:.45rem .5rem}td:not(:first-child){font-size:.8rem}td:nth-child(3){white-space:normal;min-width:7rem}:is(th,td):nth-child(4){display:none}}
@media print{.up,.zip,td button,.filter{display:none}}`

/**
 * What the page does when scripts may run: a filter, and times of the reader's own zone. Everything else needs none. Its hash
 * stands in the Content-Security-Policy.
 */
export const script = `(()=>{const all=s=>[...document.querySelectorAll(s)],two=n=>String(n).padStart(2,'0')
const times=all('time');if(times.length<=20000){for(const t of times){const d=new Date(t.dateTime);t.textContent=d.getFullYear()+'-'+two(d.getMonth()+1)+'-'+two(d.getDate())+' '+two(d.getHours())+':'+two(d.getMinutes())}
for(const s of all('th small'))s.remove()}
const rows=all('tbody tr:not(.u)'),box=document.querySelector('.filter'),input=box.querySelector('input'),out=box.querySelector('output')
if(rows.length<2)return
box.hidden=false
input.oninput=()=>{const q=input.value.toLowerCase();let n=0
for(const r of rows)n+=!(r.hidden=!r.cells[0].textContent.toLowerCase().includes(q))
out.value=q&&n+' of '+rows.length}
document.addEventListener('keydown',e=>{if(e.key==='/'&&!e.ctrlKey&&!e.metaKey&&!e.altKey&&e.target!==input){e.preventDefault();input.focus()}})
})()`
