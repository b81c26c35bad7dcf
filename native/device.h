// A device as tun.c makes it, for the functions of interface.c and packets.c.
#ifndef TUNSTACK_DEVICE_H
#define TUNSTACK_DEVICE_H

#include "addon.h"
#include "netlink.h"
#include "offload.h"

#include <uv.h>

struct environment {
  struct device *first;
  int32_t last_number;
};

struct device {
  struct device *next;
  struct environment *environment;
  napi_env env;
  int32_t number;
  int descriptor;
  struct netlink netlink;
  // Octets before each packet: the kernel's header, or none.
  int header;
  // Segmentation is done here.
  bool is_software;
  struct outgoing *outgoing;
  int32_t index;
  bool is_polling;
  bool is_closing;
  uv_poll_t poll;
  napi_ref callback;
  napi_async_context context;
  napi_async_cleanup_hook_handle cleanup;
};

// Reads the arguments, the first of which is a device. NULL where it threw; a device that was closed throws EBADF.
struct device *device_argument(napi_env env, napi_callback_info info, size_t wanted, napi_value *values);

void add_interface(napi_env env, napi_value exports, void *environment);
void add_packets(napi_env env, napi_value exports, void *environment);

#endif
