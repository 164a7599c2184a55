export interface FtpServer {
  readonly port: number
  readonly user: string
  readonly password: string
  /** The folder of this machine that the user sees as `/`. */
  readonly root: string
  stop(): Promise<void>
}
export type FtpTls = 'none' | 'explicit' | 'implicit'
/** Starts ProFTPD on loopback with a user of its own. `lines` are added to its configuration. */
export declare function startProftpd(tls?: FtpTls, lines?: readonly string[]): Promise<FtpServer>
