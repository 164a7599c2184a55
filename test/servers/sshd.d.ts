export interface Sshd {
  readonly port: number
  readonly user: string
  /** A folder of the test's own that its users see, being those of this machine. */
  readonly root: string
  /** File of a private key that may log in; its public one lies beside it. */
  readonly keyFile: string
  /** File that knows the server under its port. */
  readonly knownHosts: string
  stop(): Promise<void>
}
/** Starts OpenSSH's server on loopback, with keys of its own. `lines` are added to its configuration. */
export declare function startSshd(lines?: readonly string[]): Promise<Sshd>
