// The errors of a TUN device: each has a code and says in one sentence what is wrong and what to do about it.
// Thrown by `openTun`; told to `onerror` while packets move, where nothing is thrown.

/** `code` is an errno's name, or `ERR_TUN_ADDON`, `ERR_TUN_PLATFORM`, `ERR_TUN_CLOSED`, `ERR_INVALID_ARG_VALUE`. */
export class TunError extends Error {
  readonly code: string
  readonly errno: number | undefined
  readonly syscall: string | undefined

  constructor(code: string, message: string, errno?: number, syscall?: string) {
    super(message)
    this.name = 'TunError'
    this.code = code
    this.errno = errno
    this.syscall = syscall
  }
}

/** What kept a device from being opened or attached to, and what to do about it. */
export function openingError(error: NodeJS.ErrnoException, name: string | undefined, netns = ''): TunError {
  const { code = '', errno, syscall = '' } = error
  return new TunError(code, openingAdvice(code, syscall, name ?? 'tun0', netns), errno, syscall)
}

function openingAdvice(code: string, step: string, name: string, netns: string): string {
  if (step === 'open network namespace')
    return code === 'ENOENT'
      ? `There is no network namespace ${netns}: make it with "ip netns add ${netns}".`
      : `The network namespace ${netns} can't be opened (${code}): run as root.`
  if (step === 'setns')
    return code === 'EPERM'
      ? `Entering the network namespace ${netns} needs CAP_SYS_ADMIN (EPERM): run as root.`
      : `The network namespace ${netns} can't be entered (${code}): it must be a network namespace made with "ip netns add".`
  if (step === 'open /dev/net/tun') {
    if (code === 'EACCES' || code === 'EPERM')
      return `/dev/net/tun may not be opened by this user (${code}): run as root, or have root allow it with "chmod 666 /dev/net/tun".`
    return `/dev/net/tun is missing (${code}): load it with "modprobe tun", or start the container with "--device /dev/net/tun".`
  }
  if (code === 'EPERM')
    return `Making ${name} needs CAP_NET_ADMIN (EPERM): run as root, or have root make it for you with "ip tuntap add dev ${name} mode tun user $USER vnet_hdr".`
  if (code === 'EBUSY') return `${name} is in use by another process (EBUSY): stop that one, or take another name.`
  if (code === 'EINVAL')
    return `${name} exists and is not a TUN device, or may not be called so (EINVAL): take another name.`
  return `${name} can't be opened: ${step} failed with ${code}.`
}

/** What went wrong with a device that is open. */
export function movingError(name: string, code: string, errno: number, syscall: string): TunError {
  return new TunError(code, `${name}: ${reasonOf(code)}.`, errno, syscall)
}

function reasonOf(code: string): string {
  if (code === 'EIO') return 'the device is down, so that packets to it are lost'
  if (code === 'EBADFD') return 'the device was deleted'
  if (code === 'EINVAL') return 'the kernel refused a packet as malformed'
  return `the kernel refused a packet (${code})`
}
