import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Markup, escapeHtml, markup, visibleName } from './html.ts'

test('the five special characters and NUL are escaped', () => {
  assert.equal(escapeHtml(`a<b>"c"&'d'\0`), 'a&lt;b&gt;&#34;c&#34;&amp;&#39;d&#39;\ufffd')
  assert.equal(escapeHtml('plain ünï'), 'plain ünï')
})

test('the tagged template escapes values and keeps markup', () => {
  const inner = markup`<b>${'<x>'}</b>`
  assert.equal(
    String(markup`<p class="${'"'}">${inner}${3}${false}${undefined}${['<', inner]}</p>`),
    '<p class="&#34;"><b>&lt;x&gt;</b>3&lt;<b>&lt;x&gt;</b></p>',
  )
  assert.equal(new Markup('<i>').toString(), '<i>')
})

test('names show control characters as pictures', () => {
  assert.equal(visibleName('a\r\nb\x7f\ud800'), 'a\u240d\u240ab\u2421\ufffd')
})
