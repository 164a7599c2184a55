import { rmSync } from 'node:fs'
import { run } from './run.ts'

/** `npm run build`: emits `dist/` for the published package and checks what a user of the package would get. */
rmSync('dist', { recursive: true, force: true })
const done = run('tsc', '-p', 'tsconfig.build.json') && run('publint')
process.exitCode = done ? 0 : 1
