import { defineBackend } from '../../remote/backend.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, commaList, string } from '../../schema/values.ts'

export const httpOptions = defineOptions('http', {
  url: option(string, '', 'URL of the directory to read, such as "https://example.com/pub/"', {
    flag: 'http-url',
    required: true,
  }),
  headers: option(commaList, [], 'Headers to send, as name,value,name,value ...', {
    flag: 'http-headers',
    advanced: true,
  }),
  noSlash: option(bool, false, "For servers whose links to directories don't end in /", {
    flag: 'http-no-slash',
    advanced: true,
  }),
  noHead: option(bool, false, "Don't ask for the size of each file that is listed", {
    flag: 'http-no-head',
    advanced: true,
  }),
  noEscape: option(bool, false, "Don't escape special characters in the path of URLs", {
    flag: 'http-no-escape',
    advanced: true,
  }),
})

/** Files of a web server, found by the links in its index pages (Apache, nginx, Caddy, rclone, Sluice ...). */
export const httpBackend = defineBackend({
  name: 'http',
  description: 'HTTP',
  options: httpOptions,
  async open(ctx, args) {
    const { HttpRemote } = await import('./remote.ts')
    return HttpRemote.open(ctx, args)
  },
})
