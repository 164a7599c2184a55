import { authOptions } from '../auth/options.ts'
import { httpOptions } from '../http/options.ts'
import { defineOptions, option, prefixed } from '../schema/option.ts'
import { bool, duration, int, string, strings } from '../schema/values.ts'

const group = 'Remote control'

/** The remote control's own options (rc.md 1.8). */
export const rcOptions = defineOptions('rc', {
  enabled: option(bool, false, 'Start the remote control server beside the command', { flag: 'rc', group }),
  serve: option(bool, false, 'Serve remotes at /[remote:path]/ and list them at /', { flag: 'rc-serve', group }),
  serveNoModTime: option(bool, false, "Don't look up times for the listings of --rc-serve", {
    flag: 'rc-serve-no-modtime',
    group,
  }),
  files: option(string, '', 'Folder, zip or REMOTE:PATH of a web interface to serve', { flag: 'rc-files', group }),
  noAuth: option(bool, false, 'Let anybody who reaches the server call every method', { flag: 'rc-no-auth', group }),
  allowExec: option(bool, false, 'Let calls set options of storage that run programs', {
    flag: 'rc-allow-exec',
    group,
  }),
  allowPrivateUrls: option(
    bool,
    false,
    'Let calls fetch URLs of private networks; without it, those of this machine only while the server listens on loopback',
    { flag: 'allow-private-urls', group },
  ),
  webGui: option(bool, false, 'Fetch a web interface, serve it and open it in the browser', {
    flag: 'rc-web-gui',
    rc: 'WebUI',
    group,
  }),
  webGuiUpdate: option(bool, false, 'Fetch the web interface when there is a newer one', {
    flag: 'rc-web-gui-update',
    rc: 'WebGUIUpdate',
    group,
  }),
  webGuiForceUpdate: option(bool, false, 'Fetch the web interface anew', {
    flag: 'rc-web-gui-force-update',
    rc: 'WebGUIForceUpdate',
    group,
  }),
  webGuiNoOpenBrowser: option(bool, false, 'Do not open a browser', {
    flag: 'rc-web-gui-no-open-browser',
    rc: 'WebGUINoOpenBrowser',
    group,
  }),
  webFetchUrl: option(
    string,
    'https://api.github.com/repos/rclone/rclone-webui-react/releases/latest',
    'Description of the release of the web interface, or a zip',
    { flag: 'rc-web-fetch-url', rc: 'WebGUIFetchURL', group },
  ),
  enableMetrics: option(bool, false, 'Serve Prometheus metrics at /metrics', { flag: 'rc-enable-metrics', group }),
  jobExpireDuration: option(duration, 60_000, 'Forget finished jobs after this time', {
    flag: 'rc-job-expire-duration',
    group,
  }),
  jobExpireInterval: option(duration, 10_000, 'Look for jobs to forget this often', {
    flag: 'rc-job-expire-interval',
    group,
  }),
  jobHistory: option(int, 1000, 'Finished jobs that are remembered on disk for job/history; 0 remembers none', {
    flag: 'rc-job-history',
    group,
  }),
  template: option(string, '', 'Go template of the listings of --rc-serve', {
    flag: 'rc-template',
    rc: 'Template.Path',
    group,
  }),
})

/** Where and how the remote control listens. */
export const rcHttpOptions = prefixed(
  'rc-http',
  'rc-',
  {
    ...httpOptions.options,
    addr: option(
      strings,
      ['localhost:5572'],
      'Address and port, or unix:///path, for the remote control. Give it several times to listen on several',
      { rc: 'ListenAddr' },
    ),
  },
  { group },
)

/** Who may use the remote control. */
export const rcAuthOptions = prefixed('rc-auth', 'rc-', authOptions.options, { group })

const metrics = 'Metrics'

/** Where and how metrics alone are served. */
export const metricsHttpOptions = prefixed(
  'metrics-http',
  'metrics-',
  {
    ...httpOptions.options,
    addr: option(strings, [], 'Address and port to serve Prometheus metrics on, apart from the remote control', {
      rc: 'ListenAddr',
    }),
  },
  { group: metrics },
)

/** Who may read them. */
export const metricsAuthOptions = prefixed('metrics-auth', 'metrics-', authOptions.options, { group: metrics })
