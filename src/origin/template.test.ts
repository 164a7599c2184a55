import { test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadListingTemplate } from './template.ts'

test('a template that cannot be read or understood is refused with the place', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'template-'))
  t.after(() => rmSync(root, { recursive: true }))
  writeFileSync(join(root, 'good.html'), '{{.Name}}')
  writeFileSync(join(root, 'bad.html'), 'one\n{{.Name')
  assert.equal((await loadListingTemplate(join(root, 'good.html'))).render({ Name: '<' }), '&lt;')
  await assert.rejects(loadListingTemplate(join(root, 'bad.html')), {
    code: 'usage',
    message: '--template: template: bad.html:2: unclosed action',
  })
  await assert.rejects(loadListingTemplate(join(root, 'none.html')), {
    code: 'usage',
    message: /no such file or directory: .*none\.html/,
  })
})
