import { run, type FileServer } from '../conformance/servers.ts'
import { freePort } from '../web.ts'

/** Starts Azurite, the emulator of Azure's storage, for blobs in memory. Its URL is the endpoint of its one account. */
export async function azurite(): Promise<FileServer> {
  const port = await freePort()
  const address = ['--blobHost', '127.0.0.1', '--blobPort', String(port)]
  // The library is often newer than the emulator.
  const quiet = ['--inMemoryPersistence', '--silent', '--disableTelemetry', '--skipApiVersionCheck']
  const { url, stop } = await run('azurite-blob', [...address, ...quiet], port)
  return { url: `${url}devstoreaccount1`, stop }
}
