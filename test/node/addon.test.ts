// The addon without a device: found, loaded, and counting what libuv has in flight.
import { gzip } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { addonFault, addonPlatform, findAddon } from '../../src/node/addon.ts'

const addon = findAddon()

describe.skipIf(addon === null)(`the addon (${addonFault() || addonPlatform()})`, () => {
  it('is loaded once', () => {
    expect(findAddon()).toBe(addon)
  })

  it('counts requests in flight', async () => {
    const before = addon!.activeRequests()
    const zipped = new Promise((resolve) => gzip(Buffer.alloc(1_000_000), resolve))
    expect(addon!.activeRequests()).toBe(before + 1)
    await zipped
    expect(addon!.activeRequests()).toBe(before)
  })

  it.runIf(process.platform === 'linux')('names errors', () => {
    expect([1, 5, 16, 77].map((error) => addon!.errorName(error))).toEqual(['EPERM', 'EIO', 'EBUSY', 'EBADFD'])
  })
})
