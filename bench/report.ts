/** One thing that was measured, with the median of each contender. */
export interface Figure {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly better: 'more' | 'less'
  /** Wanted ratio of Sluice to a peer, or a limit for Sluice alone. */
  readonly goals: Readonly<Record<string, number>>
  readonly medians: Readonly<Record<string, number>>
}

/** Whether all goals of a figure are met. */
export function met(figure: Figure): boolean {
  const ours = figure.medians.sluice ?? NaN
  return Object.entries(figure.goals).every(([name, goal]) => {
    const value = name === 'limit' ? ours : ours / (figure.medians[name] ?? NaN)
    return figure.better === 'more' ? value >= goal : value <= goal
  })
}

/** What was measured earlier, with what was measured now in its place. */
export function updated(earlier: readonly Figure[], now: readonly Figure[]): Figure[] {
  const newest = new Map(now.map((figure) => [figure.id, figure]))
  const known = new Set(earlier.map(({ id }) => id))
  return [...earlier.map((figure) => newest.get(figure.id) ?? figure), ...now.filter(({ id }) => !known.has(id))]
}

/** docs/benchmarks.md. */
export function table(figures: readonly Figure[]): string {
  return `# Benchmarks

\`npm run bench\` measures Sluice beside nginx, Caddy and rclone in one run: each server is pinned to one core, the load to
another, rounds are interleaved, and the figures are medians. Copies are whole runs of both programs between two folders in
memory, with all processors; the peak memory of a sync of a million files is taken with \`--million\`. Absolute numbers belong
to the machine; read the ratios.

| what | Sluice | others | wanted | met |
| --- | --- | --- | --- | --- |
${figures.map(row).join('\n')}

Each row is of one run, the last in which it was measured (\`--only ID,ID\` measures some). Not every figure is met, and not on
every machine. The small file is asked for again and again over the same connections, which spares Node's parser (the column
\`node:http\` has it); many uploads at once cost what a bare Node server takes that writes them to files. \`crypt\` runs with
\`sodium-native\` installed.
`
}

function row(figure: Figure): string {
  const ours = figure.medians.sluice ?? NaN
  const others = Object.entries(figure.medians)
    .filter(([name]) => name !== 'sluice')
    .map(([name, value]) => `${name} ${number(value)} (${ratio(ours / value)})`)
  const goals = Object.entries(figure.goals).map(([name, goal]) => {
    const sign = figure.better === 'more' ? '≥' : '≤'
    return name === 'limit' ? `${sign} ${goal} ${figure.unit}` : `${sign} ${goal} × ${name}`
  })
  return `| ${figure.title} | ${number(ours)} ${figure.unit} | ${others.join(', ')} | ${goals.join(', ')} | ${met(figure) ? 'yes' : '**no**'} |`
}

function ratio(value: number): string {
  return `${value.toFixed(2)} ×`
}

function number(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} G`
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1)
}
