import { rmSync } from 'node:fs'
import { build } from 'rolldown'
import { run } from './run.ts'

/**
 * `npm run build`: makes `dist/` for the published package and checks what a user of the package would get. The sources are
 * joined into few files, because a program of hundreds of modules starts slowly; what is imported on first use stays apart.
 */
const entries = { main: 'src/main.ts', index: 'src/index.ts', client: 'src/rc/client.ts', hook: 'src/origin/hook.ts' }

rmSync('dist', { recursive: true, force: true })
const described = run('tsc', '-p', 'tsconfig.build.json')
await build({
  input: entries,
  platform: 'node',
  // What stands in package.json is installed beside us.
  external: /^[^./]/,
  // All files lie directly in dist/, where the sources are one folder below package.json as well.
  output: { dir: 'dist', format: 'esm', chunkFileNames: '[name]-[hash].js' },
})
process.exitCode = described && run('publint') ? 0 : 1
