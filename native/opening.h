// A TUN device's descriptors: opened where they are wanted, made or attached to, and what was agreed with the kernel.
#ifndef TUNSTACK_OPENING_H
#define TUNSTACK_OPENING_H

#include "netlink.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

// What may be asked for.
enum { NO_OFFLOAD = 0, KERNEL_OFFLOAD = 1, SOFTWARE_OFFLOAD = 2, MERGED_BY_KERNEL = 3 };

struct opening {
  // What is asked for; no namespace but the thread's where its name is empty.
  const char *namespace;
  int32_t wanted;
  // What came of it.
  int descriptor;
  struct netlink netlink;
  char name[IFNAMSIZ];
  // Octets before each packet; TUN_F_…; whether segmentation is left to us.
  int header;
  int32_t offload;
  bool is_software;
  // Or what failed, with its errno.
  int error;
  const char *failed;
};

bool open_descriptors(struct opening *opening, const char *name);
void close_opening(struct opening *opening);

#endif
