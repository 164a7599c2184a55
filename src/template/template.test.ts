import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compileTemplate } from './template.ts'
import { Duration, Time } from './time.ts'
import type { Value } from './value.ts'

function render(text: string, data: Value = {}): string {
  return compileTemplate('page.html', text).render(data)
}

function mistake(text: string, data: Value = {}): string {
  try {
    return `no mistake: ${render(text, data)}`
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'TemplateError', String(error))
    return error.message
  }
}

test('a mistake of grammar is found before any data, with its line', () => {
  const table: [string, string][] = [
    ['one\ntwo {{.Name', 'page.html:2: unclosed action'],
    ['{{if .A}}\n{{else}}\n', 'page.html:3: unexpected EOF: an {{end}} is missing'],
    ['\n\n{{nofunction .A}}', 'page.html:3: function "nofunction" not defined'],
    ['{{$x}}', 'page.html:1: undefined variable "$x"'],
    ['{{/* a\nb */}}\n{{end}}', 'page.html:3: unexpected {{end}}'],
    ['{{"a\nb"}}', 'page.html:1: unterminated string'],
    [
      '{{if .A}}<a title="{{end}}',
      'page.html:1: {{if}} branches end in different contexts: attribute double-quoted, text',
    ],
    ['a\n<a href="', 'page.html:1: ends in a non-text context: url double-quoted'],
    ['<script>\nx = `{{.A}}`</script>', 'page.html:2: an action appears in a JS template literal'],
    ['{{template "none"}}', 'page.html:1: no such template "none"'],
    ['{{break}}', 'page.html:1: {{break}} outside {{range}}'],
    ['{{1 | 2}}', 'page.html:1: non executable command in pipeline stage 2'],
  ]
  for (const [text, message] of table) {
    let found = ''
    try {
      compileTemplate('page.html', text)
    } catch (error) {
      found = error instanceof Error ? error.message : ''
    }
    assert.equal(found, `template: ${message}`, text)
  }
})

test('what the data lacks is reported with the place', () => {
  assert.equal(
    mistake('\n{{.Nope}}'),
    `template: page.html:2: executing "page.html" at <.Nope>: can't evaluate field Nope in type struct`,
  )
  assert.match(mistake('{{.A.B}}', { A: null }), /nil data; no entry for key "B"/)
  assert.match(mistake('{{len 3}}'), /at <len>: error calling len: len of type int/)
  assert.match(mistake('{{eq 1 "a"}}'), /incompatible types for comparison/)
  assert.match(mistake('{{.T.Format 1}}', { T: Time.zero }), /expected string; got int/)
  assert.match(mistake('{{define "r"}}{{template "r"}}{{end}}{{template "r"}}'), /exceeded maximum template depth/)
})

test('nothing of JavaScript is reachable', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
    assert.match(mistake(`{{.${name}}}`, { A: 1n }), /can't evaluate field/, name)
  assert.match(mistake('{{.T.constructor}}', { T: Time.zero }), /can't evaluate field/)
  assert.match(mistake('{{toString}}'), /function "toString" not defined/)
})

test('the functions of rclone', () => {
  assert.equal(
    render('{{contains "seafood" "foo"}} {{hasPrefix "ab" "a"}} {{hasSuffix "ab" "a"}} {{afterEpoch .T}}', {
      T: Time.zero,
    }),
    'true true false false',
  )
  assert.match(mistake('{{contains 1 "a"}}'), /wrong type for value; expected string; got int/)
})

test('else with, ranges over numbers and maps', () => {
  assert.equal(render('{{with .A}}a{{else with .B}}{{.}}{{else}}c{{end}}', { A: '', B: 'b' }), 'b')
  assert.equal(
    render('{{range 3}}{{.}}{{end}} {{range $k, $v := .M}}{{$k}}={{$v}};{{end}}', {
      M: new Map([
        ['b', 2n],
        ['a', 1n],
      ]),
    }),
    '012 a=1;b=2;',
  )
})

test('times and durations', () => {
  const time = new Time(1_700_000_000_123_456_789n)
  assert.equal(
    render('{{.T}} {{.T.Format "3:04PM Jan _2 06"}} {{.T.Unix}}', { T: time }),
    '2023-11-14 22:13:20.123456789 &#43;0000 UTC 10:13PM Nov 14 23 1700000000',
  )
  assert.equal(render('{{.T.IsZero}} {{.T.Year}} {{.T}}', { T: Time.zero }), 'true 1 0001-01-01 00:00:00 &#43;0000 UTC')
  const durations: [bigint, string][] = [
    [0n, '0s'],
    [1n, '1ns'],
    [1500n, '1.5µs'],
    [2_000_000n, '2ms'],
    [-90_500_000_000n, '-1m30.5s'],
    [3_600_000_000_000n, '1h0m0s'],
  ]
  for (const [value, text] of durations) assert.equal(String(new Duration(value)), text)
})

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '<',
        '>',
        '"',
        "'",
        '&',
        '`',
        '</script>',
        '-->',
        'javascript:',
        '/',
        '\\',
        '\n',
        ' ',
        '=',
        ';',
        '*/',
        'x',
        '\u2028',
        '+',
        '(',
        ')',
      ),
    )
    .map((parts) => parts.join('')),
)

test('no value leaves the place it was put in', () => {
  const page = compileTemplate(
    'page.html',
    `<p>{{.}}</p><p title="{{.}}" class='{{.}}' id={{.}}>x</p><a href="{{.}}">y</a><a href="/s?q={{.}}">z</a>` +
      `<script>a = {{.}}; b = "{{.}}"; c = '{{.}}'; d = /x{{.}}/</script><style>p { color: {{.}}; content: "{{.}}" }</style>`,
  )
  fc.assert(
    fc.property(hostile, (value) => {
      const got = page.render(value)
      const parts =
        /^<p>([^<>]*)<\/p><p title="([^"<>]*)" class='([^'<>]*)' id=([^ \t\n\f\r"'<>=`]+)>x<\/p><a href="([^"<> \t\n\f\r]*)">y<\/a><a href="\/s\?q=([\w.~%-]*)">z<\/a><script>a = ([^]*?); b = "([^"\n\r]*)"; c = '([^'\n\r]*)'; d = \/x([^]*)\/<\/script><style>p \{ color: ([^;{}<>"']*); content: "([^"<>\n]*)" \}<\/style>$/.exec(
          got,
        )
      assert.ok(parts, got)
      assert.ok(!/^\s*(?:javascript|data|vbscript):/i.test(parts[5] as string), got)
      assert.equal(
        JSON.parse(parts[7] as string),
        value.toWellFormed() === value ? value : JSON.parse(parts[7] as string),
      )
      assert.ok(!/[<>\u2028\u2029]/.test((parts[7] as string) + (parts[8] as string) + (parts[10] as string)), got)
    }),
    { numRuns: 1000 },
  )
})

test('any text is compiled or refused, soon', () => {
  const fragment = fc.constantFrom(
    '{{',
    '}}',
    '{{.A}}',
    '{{if .A}}',
    '{{else}}',
    '{{end}}',
    '{{range .A}}',
    '{{- ',
    ' -}}',
    '{{/*',
    '*/}}',
    '<script>',
    '</script>',
    '<style>',
    '</style>',
    '<a href="',
    '<a ',
    'x=',
    '"',
    "'",
    '>',
    '<!--',
    '-->',
    '/',
    '//',
    '/*',
    '*/',
    '\\',
    '`',
    '\n',
    'url(',
    ')',
    '[',
    ']',
    '<title>',
    '</title>',
    ' ',
    '$x',
    ':=',
    '|',
    '(',
    '1',
    '&quot;',
    '{{break}}',
  )
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 25 }), (parts) => {
      const start = performance.now()
      try {
        compileTemplate('page.html', parts.join('')).render({ A: [1n, 2n] })
      } catch (error) {
        assert.equal((error as Error).name, 'TemplateError', `${(error as Error).stack}\n${parts.join('')}`)
      }
      assert.ok(performance.now() - start < 1000, parts.join(''))
    }),
    { numRuns: 3000 },
  )
})

test('the names of the escapes of a string are those of Go', () => {
  assert.equal(render('{{printf "%q" .}}', '\x07\x01é\u200b"\\'), '&#34;\\a\\x01é\\u200b\\&#34;\\\\&#34;')
})
