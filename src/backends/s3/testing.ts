import type { AppContext } from '../../core/app-context.ts'
import { testContext } from '../../core/testing.ts'
import type { Remote } from '../../remote/remote.ts'
import { defaultsOf } from '../../schema/option.ts'
import { type S3Options, s3Options } from './options.ts'
import { openS3 } from './remote.ts'

/** Where a store is, and the login for it. */
export interface TestStore {
  readonly url: string
  readonly user: string
  readonly key: string
}

/** What S3 has of the methods that a remote may lack. */
type Methods = 'listRecursive' | 'copy' | 'command' | 'cleanUp' | 'setModTime' | 'purge' | 'publicLink' | 'hash'
type S3Remote = Remote & Required<Pick<Remote, Methods>>

/** An S3 remote at a store of the test, with these options beside the defaults. */
export async function openTestS3(
  { url, user, key }: TestStore,
  root: string,
  options: Partial<S3Options> = {},
): Promise<{ ctx: AppContext; remote: S3Remote; close: () => Promise<void> }> {
  const ctx = testContext()
  const config: S3Options = {
    ...defaultsOf(s3Options),
    provider: 'Other',
    endpoint: url,
    accessKeyId: user,
    secretAccessKey: key,
    ...options,
  }
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const remote = (await openS3(ctx, { name: 's3', root, config, openRemote })) as S3Remote
  return { ctx, remote, close: async () => await remote.close?.() }
}
