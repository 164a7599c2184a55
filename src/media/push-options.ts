import { defineOptions, option, type Values } from '../schema/option.ts'
import { bool, duration, oneOf, size, string } from '../schema/values.ts'

const MIB = 1024 * 1024

/** How files and streams are sent to another server (httpout.md, section 2: post, cte, ka, hdrs). */
export const pushOptions = defineOptions('push', {
  method: option(oneOf('PUT', 'POST'), 'PUT', 'Method to send with'),
  noChunked: option(bool, false, 'Send with a length, for servers that want one: a stream is gathered on disk first'),
  http2: option(bool, false, 'Speak HTTP/2, over TLS or in clear', { flag: 'http2' }),
  watch: option(bool, false, 'Go on: send what is added or changed, while it grows, and delete what is removed'),
  settle: option(duration, 1000, 'A file that has not grown for this long is whole, with --watch'),
  noDelete: option(bool, false, "Don't delete at the server what is removed, with --watch"),
  patch: option(
    oneOf('off', 'content-range', 'range'),
    'off',
    'Of a file that has grown send what was added alone, with this header; the server has to know it',
  ),
  replayBuffer: option(size, 16 * MIB, 'Bytes of a stream to hold, to send them again when a connection breaks'),
  keepInput: option(bool, false, "Never make the input wait: what can't be sent in time is dropped", {
    aliases: ['ka'],
  }),
  contentType: option(string, '', 'Content-Type to send; by the name of the file when absent'),
  user: option(string, '', 'User name for the server'),
  pass: option(string, '', 'Password for the server', { secret: true }),
})

export type PushOptions = Values<typeof pushOptions>
