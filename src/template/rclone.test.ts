import { test } from 'node:test'
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { missing } from '../../test/peers.ts'
import { freePort } from '../../test/web.ts'
import { compileTemplate } from './template.ts'
import { Time } from './time.ts'

/** What must print the same here and there. */
const snippets = [
  '{{.Name}}|{{.Title}}|{{.Sort}}|{{.Order}}|{{.Query}}',
  '{{range .Breadcrumb}}[{{.Link}},{{.Text}}]{{end}}',
  '{{range .Entries}}{{.URL}};{{.Leaf}};{{.IsDir}};{{.Size}};{{.ModTime}}\n{{end}}',
  '{{range .Entries}}<a href="{{.URL}}">{{.Leaf}}</a>\n{{end}}',
  `{{range .Entries}}<a href='{{.URL}}' title='{{.Leaf}}'>{{.Leaf}}</a>
{{end}}`,
  '{{range .Entries}}<a href={{.URL}} title={{.Leaf}}>x</a>\n{{end}}',
  '{{range .Entries}}<a href="/x?n={{.Leaf}}&amp;u={{.URL}}">x</a>\n{{end}}',
  '{{range .Entries}}<a href="{{.Leaf}}">x</a>\n{{end}}',
  '{{range .Entries}}<a href="/p/{{.Leaf}}#{{.Leaf}}">x</a>\n{{end}}',
  `<script>{{range .Entries}}var a = {{.Leaf}}; b = {{.Size}}+{{.Size}}; c="{{.Leaf}}"; d = '{{.URL}}'; r = /x{{.Leaf}}/.test(y); t={{.ModTime}};{{.IsDir}};
{{end}}</script>`,
  '<script>var e = {{.Entries}}; var n = {{.Breadcrumb}};</script>',
  '<style>p { color: {{.Name}}; width: {{len .Entries}}px; background: url("{{.Name}}"); background: url({{.Name}}); content: "{{.Title}}" }</style>',
  `{{range .Entries}}<style>p { c: "{{.Leaf}}"; u: url('{{.Leaf}}') }</style>{{end}}`,
  `{{range .Entries}}<p style="background: url({{.URL}})" onclick="f({{.Leaf}}, '{{.Leaf}}')">x</p>{{end}}`,
  '<title>{{.Title}} <b></title><textarea>{{.Title}}&amp;</textarea>',
  'a <!-- comment {{.Name}} --> b',
  'a < b & c <!DOCTYPE html> <!doctype html> x<3',
  '<script>/* c {{.Name}} */ a // x {{.Name}}\n b</script>',
  '<style>/* c {{.Name}} */ a {}</style>',
  '{{if .Entries}}yes{{else}}no{{end}}{{if .Query}}yes{{else if .Name}}name{{else}}no{{end}}',
  '{{with .Query}}q{{.}}{{else}}none{{end}}{{with $x := .Name}}{{.}}{{$x}}{{end}}',
  '{{range $i, $e := .Entries}}{{$i}}={{$e.Leaf}} {{end}}{{range $e := .Entries}}{{$e.Size}},{{end}}',
  '{{range $i, $e := .Entries}}{{if eq $i 1}}{{continue}}{{end}}{{if gt $i 3}}{{break}}{{end}}{{$i}}{{end}}',
  '{{$n := 0}}{{range .Entries}}{{if .IsDir}}{{$n = 5}}{{end}}{{end}}{{$n}}',
  '{{define "row"}}<td>{{.Leaf}}</td>{{end}}{{range .Entries}}{{template "row" .}}{{end}}',
  '{{define "attr"}}{{.Leaf}}{{end}}{{range .Entries}}<a title="{{template "attr" .}}">{{template "attr" .}}</a><script>x = {{template "attr" .}}</script>{{end}}',
  '{{block "b" .Name}}B{{.}}{{end}}',
  '{{- 1 -}} {{- /* c */ -}} x {{2 -}}   y',
  '{{and .Name .Query}}|{{or .Query .Name}}|{{not .Query}}|{{and 1 0 2}}|{{or 0 "" 3}}|{{and true}}',
  '{{len .Name}} {{len .Entries}} {{len "ünï"}}',
  '{{(index .Entries 1).Leaf}} {{index .Name 1}} {{slice .Name 1}} {{slice "abcdef" 1 3}} {{len (slice .Entries 1 3)}}',
  '{{print 1 2 "a" "b" 3 true nil}}|{{println "a" 1}}|{{print "a" 1 2}}',
  '{{printf "%d %5d %-5d| %05d %+d %x %X %o %b %c %q %U %#x %#o" 12 12 12 12 12 255 255 8 5 65 65 65 255 8}}',
  '{{printf "%s %q %10s %-10s| %.2s %x %X %v %#v" "a\\"b" "a\\"b\\n" "abc" "abc" "abcdef" "hi" "hi" "v" "sharp"}}',
  '{{printf "%f %.2f %8.3f %e %g %G %v" 3.14159 3.14159 3.14159 1234.5678 1e21 1e-7 0.000001}}',
  `{{printf "%v %v %v %v %v" 100000000.0 1e20 1e21 0.0001 0.00001}} {{1.5}} {{1e3}} {{0x1F}} {{0b11}} {{0o17}} {{017}} {{'a'}} {{1_000}} {{-3}} {{+3}} {{.5}}`,
  '{{printf "%d" "x"}} {{printf "%s" 5}} {{printf "%d"}} {{printf "%d" 1 2}} {{printf "%z" 1}} {{printf "%!"}} {{printf "%"}} {{printf "100%%"}}',
  '{{printf "%[2]d %[1]d" 1 2}} {{printf "%*d" 5 42}} {{printf "%-*d|" 5 42}} {{printf "%.*f" 2 3.14159}} {{printf "%[3]d" 1}}',
  '{{printf "%v %+v" .Breadcrumb .Breadcrumb}} {{printf "%s" .Breadcrumb}} {{printf "%q" .Breadcrumb}}',
  '{{printf "%6.2f|%-8.1f|%08.3f|%+.1f|% d|% x" 3.14159 2.5 3.14159 2.0 5 "abc"}}',
  '{{html "<a&b>\'\\""}} {{"<x>" | html}} {{js "<a>\'\\"=&\\n"}} {{urlquery "a b/c?d&e=f+g~"}} {{"a b" | urlquery}}',
  '<a href="?x={{"a b&c" | urlquery}}">{{.Name | html}}</a>',
  '{{.Name | printf "%s-%s" "x"}} {{"output" | printf "%s" | len}} {{printf "%q" (print "a" "b")}}',
  '{{eq 1 1}} {{eq 1 2 1}} {{ne "a" "b"}} {{lt 1 2}} {{le 2 2}} {{gt "b" "a"}} {{ge 1.5 1.5}} {{eq .Name "/d"}} {{eq true false}}',
  '{{(index .Entries 1).ModTime.Format "2006-01-02T15:04:05.000Z07:00 Mon Monday Jan January 1 2 _2 02 002 __2 3 03 15 4 04 5 05 06 PM pm MST -0700 -07:00 -07 Z0700 .999 ,000 .00"}}',
  '{{(index .Entries 1).ModTime.Unix}} {{(index .Entries 1).ModTime.UnixNano}} {{(index .Entries 1).ModTime.UnixMilli}} {{(index .Entries 1).ModTime.IsZero}} {{(index .Entries 1).ModTime.UTC}}',
  '{{with (index .Entries 2).ModTime}}{{.Year}}-{{.Month}}-{{.Day}} {{.Hour}}:{{.Minute}}:{{.Second}}.{{.Nanosecond}} {{.Weekday}} {{.YearDay}} {{printf "%d" .Month}} {{printf "%02d" .Day}} {{printf "%v %s" .Month .Weekday}}{{end}}',
  '{{$a := (index .Entries 1).ModTime}}{{$b := (index .Entries 2).ModTime}}{{$a.After $b}} {{$a.Before $b}} {{$a.Equal $a}} {{$a.Sub $b}} {{($b.Sub $a).Hours}} {{($b.Sub $a).String}} {{$a.Truncate 3600000000000}} {{$a.Round 1000000000}} {{$a.Add 1500000000}}',
  '{{range .Entries}}{{afterEpoch .ModTime}} {{end}}',
  '{{range .Entries}}{{.ModTime.Format "Mon, 02 Jan 2006 15:04:05 GMT"}}|{{.ModTime.Format "Janet Monk 2nd"}}|{{.ModTime.Local.Format "2006"}}\n{{end}}',
  '{{"\\u00fc\\x41\\101\\t|"}} {{`raw\\n`}}',
  '<input value="{{.Title}}" {{if .Query}}checked{{end}} data-x="{{.Name}}" data-url="{{.Name}}">',
  '<img src="{{.Name}}" srcset="{{.Name}} 2x, /b {{.Sort}}"> <a xlink:href="{{.Name}}" my-uri="{{.Title}}">x</a>',
  '<div class="a {{.Sort}}" {{.Sort}}="x" {{"onclick"}}="y" {{"title"}}="{{.Name}}">x</div>',
  '<a href="{{if .Query}}/a{{else}}/b{{end}}/{{.Name}}">x</a>',
  '<a href="{{.Name}}{{if .Sort}}?s={{.Sort}}{{end}}">x</a>',
  '<script type="application/json">{"a": {{.Name}}}</script>',
  '<script type="text/x-thing"><b>{{.Name}}</b></script>',
  '<SCRIPT>a = {{.Sort}}</SCRIPT><ScRipt>b = "{{.Name}}"</sCRIPT>',
  '<script>a = b /{{len .Name}}/ c; x = [{{.Sort}}]; f({{.Sort}}) / 2; return /{{.Sort}}/g</script>',
  '<p\n title\n=\n"{{.Name}}"\n>x</p><br/><a href=/x/{{.Name}}/>y</a>',
  '{{.Entries | len}} {{(len .Entries) | printf "%03d"}}',
  '{{/* comment */}}{{- /* a\nb */ -}}',
  '{{range $i, $c := .Breadcrumb}}{{if $i}} / {{end}}{{$c.Text}}{{end}}',
  '{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}{{if true}}{{$x = 3}}{{end}}{{$x}}',
  '{{ .Title\n}}{{\n.Name }}{{"a"|printf "%s"}}',
  '{{$.Name}}{{range .Breadcrumb}}{{$.Sort}}{{end}}',
  '<a onclick="x = &quot;{{.Name}}&quot;">y</a><a onclick="x(&#39;{{.Title}}&#39;)">y</a>',
  '<meta http-equiv="refresh" content="{{.Sort}}"><a href="mailto:{{.Sort}}">m</a><a href="https://x/{{.Name}}">z</a>',
  'x{{printf "%v" nil}}{{print nil}}{{printf "%d" nil}}',
  '<svg><text>{{.Name}}</text></svg><!-- a --><!-- b > -->c',
  '{{printf "%5q|%-8q|%x" "a" "b" -255}} {{printf "%08b" 5}} {{printf "%+q" "ü"}} {{printf "%#q" "a"}} {{printf "% X" "abc"}} {{printf "%6.3v|" 3.14159}}',
  '{{"a+b<" | html}}|<p title="{{"a+b<" | html}}">',
  '{{html 1 2}}|{{urlquery 1 "b"}}',
  '{{printf "%v %v %v %v" 1234567.5 123456.0 999999.0 1000000.0}} {{printf "%g %.3g %.10g" 1234567.5 1234567.5 1234567.5}}',
  '{{(index .Entries 0).Leaf}} {{printf "%t %v %5t" true false true}} {{printf "%T %T %T %T" 1 "a" 1.5 true}}',
  '<p title="{{""}}">{{""}}</p>',
  '{{printf "%t" 1}} {{printf "%f" 1}} {{printf "%d" 1.5}} {{printf "%s" true}}',
]

/** What must print the same, or fail both here and there. */
const lonely = [
  '{{range .Query}}x{{else}}empty{{end}}',
  '{{.Missing}}',
  '{{foo}}',
  '{{if .Name}}',
  '{{end}}',
  '{{.Name',
  '{{range .Size}}{{end}}',
  '{{(index .Entries 99).Leaf}}',
  '{{template "none"}}',
  '{{$x}}',
  '{{.Name.Foo}}',
  '<a href="{{if .Query}}a{{else}}b" title="{{end}}x">',
  '<script>`{{.Name}}`</script>',
  '<a {{if .Query}}title="x{{end}}">',
  '{{html .Name | printf "%s"}}',
  '{{range .Entries}}<b title="{{end}}',
  '{{eq 1 "a"}}',
  '{{eq 1 1.0}}',
  '{{lt true false}}',
  '{{len 3}}',
  '{{index .Name 99}}',
  '{{slice .Name 5 1}}',
  '{{.Name 1}}',
  '{{1 2}}',
  '{{nil}}',
  '{{"a"}',
  `{{'ab'}}`,
  '{{1 | 2}}',
  '{{break}}',
  '{{else}}',
  '{{define "a"}}',
  '{{(index .Entries 0).ModTime.Format}}',
  '{{(index .Entries 0).ModTime.Format 1}}',
  '{{.Entries.Leaf}}',
  '{{if eq .Name}}{{end}}',
  '{{nofunc "a" "b"}}',
  '<script>x = /{{.Name}}</script>',
  '<style>a{',
  '<!-- {{.Name}}',
  '<a href=x"{{.Name}}>',
  '{{define "x"}}a{{end}}{{define "x"}}b{{end}}',
  '{{99999999999999999999}}',
  '{{.X.Y}}',
  '{{call .Name}}',
  '{{print | printf "%d"}}',
  '<a href="{{if .Name}}?{{end}}{{.Name}}">',
  '{{define "r"}}{{if .}}<b>{{template "r" ""}}</b>{{end}}{{end}}{{template "r" .Name}}',
  '{{define "r"}}{{template "r" .}}{{end}}{{template "r" .Name}}',
]

const names = [
  'a b&c<d>.txt',
  'javascript:alert(1)',
  'plain.txt',
  `x"y'z+.txt`,
  '\u00fcn\u00ef.txt',
  '100%.txt',
  'q?#.txt',
]
const separator = '@@@@'
const seconds = (i: number) => 981173106.789 + i * 86400 * 45

function fixture(root: string): void {
  mkdirSync(join(root, 'served/d/sub'), { recursive: true })
  const touch = (i: number, path: string) =>
    spawnSync('touch', ['-d', `@${seconds(i).toFixed(3)}`, join(root, 'served/d', path)])
  for (const [i, name] of names.entries()) {
    writeFileSync(join(root, 'served/d', name), 'x'.repeat(i * 700))
    touch(i, name)
  }
  touch(9, 'sub')
}

function data() {
  const time = (i: number) => new Time(BigInt(Math.round(seconds(i) * 1000)) * 1_000_000n)
  const url = (name: string) =>
    `${name.includes(':') ? './' : ''}${encodeURI(name).replace(/[?#'()!*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`
  const files = names.map((name, i) => ({
    URL: url(name),
    Leaf: name,
    IsDir: false,
    Size: BigInt(i * 700),
    ModTime: time(i),
  }))
  files.sort((a, b) => (a.Leaf.toLowerCase() < b.Leaf.toLowerCase() ? -1 : 1))
  return {
    DirRemote: 'd',
    Title: 'Directory listing of /d',
    Name: '/d',
    Entries: [{ URL: 'sub/', Leaf: 'sub/', IsDir: true, Size: 0n, ModTime: time(9) }, ...files],
    Query: '',
    Breadcrumb: [
      { Link: '../', Text: '/' },
      { Link: '', Text: 'd' },
    ],
    Sort: 'namedirfirst',
    Order: '',
  }
}

/** The page that rclone makes of a template; undefined when it refuses. */
async function theirs(root: string, template: string): Promise<string | undefined> {
  writeFileSync(join(root, 'page.html'), template)
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  const args = ['serve', 'http', join(root, 'served'), '--addr', address, '--template', join(root, 'page.html')]
  const child = spawn('rclone', args, {
    stdio: 'ignore',
    env: { ...process.env, RCLONE_CONFIG: join(root, 'none.conf'), TZ: 'UTC' },
  })
  const ended = once(child, 'exit')
  try {
    for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
      const response = await fetch(`http://${address}/d/?sort=namedirfirst`).catch(() => undefined)
      if (response?.status === 200) return await response.text()
      if (response) return undefined
      await sleep(25)
    }
    return undefined
  } finally {
    child.kill()
    await ended
  }
}

function ours(template: string): string | undefined {
  try {
    return compileTemplate('page.html', template).render(data())
  } catch {
    return undefined
  }
}

test('pages come out as rclone makes them', { skip: missing('rclone') }, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'template-'))
  t.after(() => rmSync(root, { recursive: true }))
  fixture(root)
  for (const snippet of snippets) assert.notEqual(ours(snippet), undefined, snippet)
  const page = await theirs(root, snippets.join(separator))
  assert.ok(page)
  const parts = page.split(separator)
  assert.equal(parts.length, snippets.length)
  for (const [i, snippet] of snippets.entries()) assert.equal(ours(snippet), parts[i], snippet)
})

test('what rclone refuses is refused', { skip: missing('rclone') }, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'template-'))
  t.after(() => rmSync(root, { recursive: true }))
  fixture(root)
  for (const snippet of lonely) assert.equal(ours(snippet), await theirs(root, snippet), snippet)
})
