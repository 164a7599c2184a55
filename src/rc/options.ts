import { authOptions } from '../auth/options.ts'
import { httpOptions } from '../http/options.ts'
import { defineOptions, option, prefixed } from '../schema/option.ts'
import { bool, duration, string } from '../schema/values.ts'

/** The remote control is a later part of the product: its flags are checked and then say that they have no effect. */
const later = { inert: 'the remote control is not part of this release yet', group: 'Remote control' }

/** The remote control's own options. */
export const rcOptions = defineOptions('rc', {
  enabled: option(bool, false, 'Start the remote control server', { flag: 'rc', ...later }),
  serve: option(bool, false, 'Serve remotes on the remote control server', { flag: 'rc-serve', ...later }),
  files: option(string, '', 'Folder or zip of a web interface to serve', { flag: 'rc-files', ...later }),
  noAuth: option(bool, false, 'Let anybody call every method', { flag: 'rc-no-auth', ...later }),
  webGui: option(bool, false, 'Serve a web interface', { flag: 'rc-web-gui', ...later }),
  webGuiUpdate: option(bool, false, 'Check for a newer web interface', { flag: 'rc-web-gui-update', ...later }),
  webGuiForceUpdate: option(bool, false, 'Fetch the web interface anew', { flag: 'rc-web-gui-force-update', ...later }),
  webGuiNoOpenBrowser: option(bool, false, 'Do not open a browser', { flag: 'rc-web-gui-no-open-browser', ...later }),
  webFetchUrl: option(string, '', 'Where to fetch the web interface', { flag: 'rc-web-fetch-url', ...later }),
  enableMetrics: option(bool, false, 'Serve Prometheus metrics', { flag: 'rc-enable-metrics', ...later }),
  jobExpireDuration: option(duration, 60_000, 'Forget finished jobs after this time', {
    flag: 'rc-job-expire-duration',
    ...later,
  }),
  jobExpireInterval: option(duration, 10_000, 'Look for jobs to forget this often', {
    flag: 'rc-job-expire-interval',
    ...later,
  }),
  template: option(string, '', 'Template of its listings', { flag: 'rc-template', ...later }),
})

/** Where and how the remote control listens. */
export const rcHttpOptions = prefixed('rc-http', 'rc-', httpOptions.options, later)
/** Who may use the remote control. */
export const rcAuthOptions = prefixed('rc-auth', 'rc-', authOptions.options, later)
