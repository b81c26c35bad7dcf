// Opening a TUN device: in which network namespace, under which name, and what the kernel does for us. Called by tun.c.
#include "opening.h"
#include "offload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

// How long the kernel may hold what it merges, in nanoseconds: for the case that PSH, with which it hands everything on, is missing. Longer than
// the kernel's tick, since a timer that is due before costs more than all the merging saves where the machine is virtual.
#define FLUSH_TIMEOUT "20000000"
// Linux 6.2; older headers lack them.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

// Opening, in the network namespace that the thread is in.

static void open_here(struct opening *opening) {
  opening->descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (opening->descriptor < 0) {
    opening->error = errno;
    opening->failed = "open /dev/net/tun";
    return;
  }
  int result = netlink_open(&opening->netlink);
  if (result == 0) return;
  opening->error = -result;
  opening->failed = "socket";
  close(opening->descriptor);
  opening->descriptor = -1;
}

// What failed, with errno, or NULL.
static const char *enter_namespace(const char *namespace) {
  char path[300];
  bool is_path = strchr(namespace, '/') != NULL;
  snprintf(path, sizeof path, "%s%s", is_path ? "" : "/run/netns/", namespace);
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return "open network namespace";
  int result = setns(descriptor, CLONE_NEWNET);
  int error = errno;
  close(descriptor);
  errno = error;
  return result == 0 ? NULL : "setns";
}

// The body of a thread made for it: the calling thread never leaves its own namespace, so there is no way back to
// fail (in a user namespace of one's own it would). Device and netlink socket keep belonging where they were opened.
static void *open_there(void *argument) {
  struct opening *opening = argument;
  opening->failed = enter_namespace(opening->namespace);
  if (opening->failed == NULL) open_here(opening);
  else opening->error = errno;
  return NULL;
}

static void open_wherever(struct opening *opening) {
  pthread_t thread;
  if (opening->namespace[0] == 0) {
    open_here(opening);
    return;
  }
  int result = pthread_create(&thread, NULL, open_there, opening);
  if (result == 0) {
    pthread_join(thread, NULL);
    return;
  }
  opening->error = result;
  opening->failed = "pthread_create";
}

// Merging, by the kernel, of the segments that it gets from us (GRO): its receive path costs much more than that for each packet.

struct merging {
  const char *namespace;
  const char *name;
  bool is_set;
};

// The body of a thread made for it, since only sysfs can set this and shows the devices of the namespace it was mounted in: one is mounted
// in a mount namespace that ends with the thread.
static void *set_flush_timeout(void *argument) {
  struct merging *merging = argument;
  char path[300];
  if (merging->namespace[0] != 0 && enter_namespace(merging->namespace) != NULL) return NULL;
  bool is_mounted = unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                    mount("sysfs", "/sys", "sysfs", 0, NULL) == 0;
  if (!is_mounted && merging->namespace[0] != 0) return NULL;
  snprintf(path, sizeof path, "/sys/class/net/%s/gro_flush_timeout", merging->name);
  int descriptor = open(path, O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return NULL;
  merging->is_set = write(descriptor, FLUSH_TIMEOUT, strlen(FLUSH_TIMEOUT)) > 0;
  close(descriptor);
  return NULL;
}

static bool let_kernel_merge(const char *namespace, const char *name) {
  struct merging merging = {.namespace = namespace, .name = name};
  pthread_t thread;
  if (pthread_create(&thread, NULL, set_flush_timeout, &merging) != 0) return false;
  pthread_join(thread, NULL);
  return merging.is_set;
}

// Makes the device, or attaches to the one of that name, with the flags wanted that the kernel knows; 0 or a negative errno. An existing one with several queues
// (`ip tuntap add … multi_queue`) refuses whoever does not say that he knows (EINVAL).
static int attach(int descriptor, const char *name, short wanted, struct ifreq *request) {
  unsigned int features = 0;
  if (ioctl(descriptor, TUNGETFEATURES, &features) < 0) return -errno;
  short flags = (short)(IFF_TUN | IFF_NO_PI | (wanted & (short)features));
  for (int attempt = 0; attempt < 2; attempt++) {
    memset(request, 0, sizeof *request);
    memcpy(request->ifr_name, name, strlen(name));
    request->ifr_flags = (short)(flags | (attempt == 0 ? 0 : IFF_MULTI_QUEUE));
    if (ioctl(descriptor, TUNSETIFF, request) == 0) return ioctl(descriptor, TUNGETIFF, request) < 0 ? -errno : 0;
    if (errno != EINVAL) break;
  }
  return -errno;
}

// What the kernel may leave to us, most first; what it took is returned (TUN_F_*).
static int32_t negotiate(int descriptor, bool has_header, bool is_software) {
  static const unsigned int offers[] = {
      TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
      TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
      TUN_F_CSUM,
  };
  enum { JUST_CHECKSUMS = 2 };
  int size = OFFLOAD_HEADER;
  int is_little_endian = 1;
  if (has_header && ioctl(descriptor, TUNSETVNETHDRSZ, &size) == 0) {
    ioctl(descriptor, TUNSETVNETLE, &is_little_endian);
    for (size_t offer = is_software ? JUST_CHECKSUMS : 0; offer < sizeof offers / sizeof *offers; offer++)
      if (ioctl(descriptor, TUNSETOFFLOAD, (unsigned long)offers[offer]) == 0) return (int32_t)offers[offer];
  }
  // A device made beforehand may still have what its last user agreed to.
  ioctl(descriptor, TUNSETOFFLOAD, 0UL);
  return 0;
}

void close_opening(struct opening *opening) {
  close(opening->descriptor);
  close(opening->netlink.descriptor);
  opening->descriptor = -1;
}

// The descriptors and their device, made with these flags or attached to.
static bool open_with(struct opening *opening, const char *name, short flags, struct ifreq *request) {
  open_wherever(opening);
  if (opening->descriptor < 0) return false;
  int error = attach(opening->descriptor, name, flags, request);
  if (error == 0) return true;
  close_opening(opening);
  opening->error = -error;
  opening->failed = "TUNSETIFF";
  return false;
}

bool open_descriptors(struct opening *opening, const char *name) {
  struct ifreq request;
  int32_t wanted = opening->wanted;
  short flags = wanted == NO_OFFLOAD ? 0 : wanted == MERGED_BY_KERNEL ? IFF_VNET_HDR | IFF_NAPI : IFF_VNET_HDR;
  if (!open_with(opening, name, flags, &request)) return false;
  if (wanted == MERGED_BY_KERNEL && !let_kernel_merge(opening->namespace, request.ifr_name)) {
    // Without that a device that the kernel polls is slower than one that it does not.
    close_opening(opening);
    if (!open_with(opening, name, IFF_VNET_HDR, &request)) return false;
  }
  bool has_header = (request.ifr_flags & IFF_VNET_HDR) != 0;
  opening->header = has_header ? OFFLOAD_HEADER : 0;
  opening->offload = negotiate(opening->descriptor, has_header, wanted > KERNEL_OFFLOAD);
  opening->is_software = has_header && (opening->offload & TUN_F_TSO4) == 0;
  if (opening->is_software) opening->offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  memcpy(opening->name, request.ifr_name, sizeof opening->name);
  return true;
}
