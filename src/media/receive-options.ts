import { defineOptions, option } from '../schema/option.ts'
import { string, strings } from '../schema/values.ts'

/** Where uploads go that are handed on instead of stored (httpout.md 4.5, its source mode). */
export const receiveOptions = defineOptions('receive', {
  to: option(
    string,
    '-',
    'Where uploads go: - is standard output; a folder or REMOTE:PATH; exec:COMMAND, which reads its standard input; pipe:PATH of a FIFO',
    { exec: true, required: true },
  ),
  passHeader: option(strings, [], 'Header to hand on to the command as well, as SLUICE_HEADER_NAME'),
})
