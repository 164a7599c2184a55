import type { Json } from '../base/json.ts'

/**
 * What `options/get` shows under names that rclone has and that no option of this program stands for: clients with types made
 * from rclone's answers fail without them. An option of that name wins as soon as there is one; setting one does nothing.
 */
export const compatMain: Readonly<Record<string, Json>> = {
  DefaultTime: '2000-01-01T00:00:00Z',
  DeleteMode: 3,
  DisableFeatures: null,
  Interactive: false,
  Links: false,
  MaxConnections: 0,
  MetadataMapper: null,
  MultiThreadSet: false,
  ClientPass: '',
  NameTransform: null,
  PartialSuffix: '.partial',
  TrafficClass: 0,
}

/** The same for logging. */
export const compatLog: Readonly<Record<string, Json>> = {
  UseSyslog: false,
  SyslogFacility: 'DAEMON',
  MaxSize: -1,
  MaxBackups: 0,
  MaxAge: 0,
  Compress: false,
}

/** The same for a server's TLS: certificates are files here. */
export const compatHttp: Readonly<Record<string, Json>> = { TLSCertBody: '', TLSKeyBody: '' }
