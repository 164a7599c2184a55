import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { pages } from './pages.ts'

/** `npm run docs`: writes the generated pages of docs/reference. test/generated.test.ts fails when they are not current. */
for (const [path, text] of pages()) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
