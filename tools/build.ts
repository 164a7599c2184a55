import { rmSync } from 'node:fs'
import { build, type Plugin } from 'rolldown'
import { run } from './run.ts'

/**
 * `npm run build`: makes `dist/` for the published package and checks what a user of the package would get. The sources are
 * joined into few files, because a program of hundreds of modules starts slowly; what is imported on first use stays apart.
 */
const entries = {
  main: 'src/main.ts',
  index: 'src/index.ts',
  client: 'src/rc/client.ts',
  hook: 'src/origin/hook.ts',
  'crypt-thread': 'src/backends/crypt/crypt-thread.ts',
  'look-thread': 'src/backends/local/look-thread.ts',
}

/**
 * What is loaded together, with all that it imports, is one file: each further one costs a start half a millisecond. What the
 * threads import comes first, so that they load little else; they themselves are in no group, for all that loads a file runs it.
 */
const groups: readonly (readonly [name: string, test: RegExp])[] = [
  ['threads', /[\\/](local[\\/](look-row|names)|crypt[\\/](box|run))\.ts$/],
  ['start', /[\\/]src[\\/]main\.ts$/],
  ['disk', /[\\/]local[\\/](open|looks)\.ts$/],
  ['serving', /[\\/]commands[\\/]server\.ts$/],
]

/**
 * Takes the parts of Node.js that a file imports from the process instead. As modules they come with all that they would load on
 * first use, of node:http the whole of fetch: that took longer than everything else at the start.
 */
const direct: Plugin = {
  name: 'direct-builtins',
  renderChunk: (code) =>
    code.replaceAll(
      /^import (?:\* as )?(\w+|\{[^}]*\}) from ("node:[^"]+");$/gm,
      (_, names: string, from: string) =>
        `const ${names.replaceAll(' as ', ': ')} = process.getBuiltinModule(${from});`,
    ),
}

rmSync('dist', { recursive: true, force: true })
const described = run('tsc', '-p', 'tsconfig.build.json')
await build({
  input: entries,
  platform: 'node',
  plugins: [direct],
  // What stands in package.json is installed beside us.
  external: /^[^./]/,
  // All files lie directly in dist/, where the sources are one folder below package.json as well.
  output: {
    dir: 'dist',
    format: 'esm',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: groups.map(([name, test]) => ({ name, test })) },
  },
})
process.exitCode = described && run('publint') ? 0 : 1
