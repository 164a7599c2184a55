const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']

/** Bytes for people, in three digits or four: `0 B`, `1023 B`, `1.5 KiB`, `12.3 MiB`, `456 GiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let value = bytes / 1024
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(value < 99.95 ? 1 : 0)} ${units[unit]}`
}
