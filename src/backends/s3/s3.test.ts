import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { missing } from '../../../test/peers.ts'
import { swift, swiftPrograms } from '../../../test/servers/swift.ts'
import { openTestS3 } from './testing.ts'

const skip = missing(...swiftPrograms)

remoteBehaviour('s3 at Swift', {
  skip,
  open: async () => await openTestS3(await swift(), 'behaviour/below/here'),
})
