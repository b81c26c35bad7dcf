// A TUN device from open to close: made or attached to, watched by uv_poll, and let go of, also when its worker or the
// process ends. What moves packets is packets.c, what sets the interface up is interface.c; none knows a protocol.
// Called by src/node/tun-device.ts. A device is a number to JavaScript, never used twice, so that use after close
// is an error (EBADF) and not an access to what is gone.
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

// What `open` may be asked for.
enum { NO_OFFLOAD = 0, KERNEL_OFFLOAD = 1, SOFTWARE_OFFLOAD = 2, MERGED_BY_KERNEL = 3 };

// How long the kernel may hold what it merges, in nanoseconds: for the case that PSH, with which it hands everything on, is missing. Longer than
// the kernel's tick, since a timer that is due before costs more than all the merging saves where the machine is virtual.
#define FLUSH_TIMEOUT "20000000"
// Linux 6.2; older headers lack them.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

// Opening, in the network namespace that the thread is in.

struct opening {
  const char *namespace;
  int descriptor;
  struct netlink netlink;
  int error;
  const char *failed;
};

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

static void open_descriptors(struct opening *opening) {
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

// Closing: the descriptors at once, the memory when libuv has let go of the handle.

static void on_closed(uv_handle_t *handle) {
  struct device *device = handle->data;
  napi_handle_scope scope;
  if (napi_open_handle_scope(device->env, &scope) == napi_ok) {
    if (device->callback != NULL) napi_delete_reference(device->env, device->callback);
    if (device->context != NULL) napi_async_destroy(device->env, device->context);
    napi_close_handle_scope(device->env, scope);
  }
  napi_remove_async_cleanup_hook(device->cleanup);
  free(device);
}

static void close_device(struct device *device) {
  if (device->is_closing) return;
  device->is_closing = true;
  for (struct device **link = &device->environment->first; *link != NULL; link = &(*link)->next) {
    if (*link != device) continue;
    *link = device->next;
    break;
  }
  uv_poll_stop(&device->poll);
  uv_close((uv_handle_t *)&device->poll, on_closed);
  close(device->descriptor);
  close(device->netlink.descriptor);
}

// The worker or the process ends; `napi_remove_async_cleanup_hook`, in on_closed, says when we are done.
static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  close_device(data);
}

static void free_environment(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

static struct device *find_device(struct environment *environment, int32_t number) {
  for (struct device *device = environment->first; device != NULL; device = device->next)
    if (device->number == number) return device;
  return NULL;
}

// Reads the arguments, the first of which is a device. NULL where it threw; a device that was closed throws EBADF.
struct device *device_argument(napi_env env, napi_callback_info info, size_t wanted, napi_value *values) {
  void *data;
  int32_t number;
  if (!read_arguments(env, info, wanted, values, &data)) return NULL;
  if (!read_integer(env, values[0], "device", 0, INT32_MAX, &number)) return NULL;
  struct device *device = find_device(data, number);
  if (device == NULL) throw_errno(env, EBADF, "device is closed");
  return device;
}

static struct device *make_device(napi_env env, struct environment *environment, const struct opening *opening) {
  struct device *device = calloc(1, sizeof *device);
  struct uv_loop_s *loop;
  if (device == NULL) return NULL;
  device->env = env;
  device->environment = environment;
  device->descriptor = opening->descriptor;
  device->netlink = opening->netlink;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok || uv_poll_init(loop, &device->poll, device->descriptor) != 0) {
    free(device);
    return NULL;
  }
  device->poll.data = device;
  device->number = ++environment->last_number;
  device->next = environment->first;
  environment->first = device;
  napi_add_async_cleanup_hook(env, on_cleanup, device, &device->cleanup);
  return device;
}

static int attach_opening(const struct opening *opening, const char *name, short flags, struct ifreq *request) {
  return opening->descriptor < 0 ? -opening->error : attach(opening->descriptor, name, flags, request);
}

static void close_opening(struct opening *opening) {
  close(opening->descriptor);
  close(opening->netlink.descriptor);
  opening->descriptor = -1;
}

// open(name, offload, namespace) -> { device, name, header, offload, software }. Where the kernel has no segmentation, software stands in.
static napi_value open_device(napi_env env, napi_callback_info info) {
  napi_value values[3], result, text;
  void *environment;
  char name[IFNAMSIZ];
  char namespace[256];
  int32_t wanted;
  struct ifreq request;
  if (!read_arguments(env, info, 3, values, &environment) || !read_text(env, values[0], "name", name, sizeof name) ||
      !read_integer(env, values[1], "offload", NO_OFFLOAD, MERGED_BY_KERNEL, &wanted) ||
      !read_text(env, values[2], "namespace", namespace, sizeof namespace))
    return NULL;

  struct opening opening = {.namespace = namespace, .descriptor = -1};
  short flags = wanted == NO_OFFLOAD ? 0 : wanted == MERGED_BY_KERNEL ? IFF_VNET_HDR | IFF_NAPI : IFF_VNET_HDR;
  open_descriptors(&opening);
  int attached = attach_opening(&opening, name, flags, &request);
  if (attached == 0 && wanted == MERGED_BY_KERNEL && !let_kernel_merge(namespace, request.ifr_name)) {
    // Without that a device that the kernel polls is slower than one that it does not.
    close_opening(&opening);
    open_descriptors(&opening);
    attached = attach_opening(&opening, name, IFF_VNET_HDR, &request);
  }
  if (opening.descriptor < 0) {
    throw_errno(env, opening.error, opening.failed);
    return NULL;
  }
  // libuv watches a descriptor only once it is a device: before TUNSETIFF it polls as an error.
  struct device *device = attached < 0 ? NULL : make_device(env, environment, &opening);
  if (device == NULL) {
    close_opening(&opening);
    throw_errno(env, attached < 0 ? -attached : ENOMEM, attached < 0 ? "TUNSETIFF" : "uv_poll_init");
    return NULL;
  }
  bool has_header = (request.ifr_flags & IFF_VNET_HDR) != 0;
  int32_t offload = negotiate(device->descriptor, has_header, wanted > KERNEL_OFFLOAD);
  device->is_software = has_header && (offload & TUN_F_TSO4) == 0;
  device->header = has_header ? OFFLOAD_HEADER : 0;
  if (device->is_software) offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

  napi_create_object(env, &result);
  set_integer(env, result, "device", device->number);
  set_integer(env, result, "header", device->header);
  set_integer(env, result, "offload", offload);
  set_integer(env, result, "software", device->is_software);
  napi_create_string_utf8(env, request.ifr_name, NAPI_AUTO_LENGTH, &text);
  napi_set_named_property(env, result, "name", text);
  return result;
}

static napi_value close_function(napi_env env, napi_callback_info info) {
  napi_value values[1];
  struct device *device = device_argument(env, info, 1, values);
  if (device != NULL) close_device(device);
  return NULL;
}

// Readiness.

// One call into JavaScript an event: with the events (UV_READABLE, UV_WRITABLE), or the negative errno that ended the
// watch. A deleted device is such an end: libuv has stopped the poll before it tells, so that nothing spins.
static void on_ready(uv_poll_t *poll, int status, int events) {
  struct device *device = poll->data;
  napi_env env = device->env;
  napi_handle_scope scope;
  napi_value receiver, callback, argument, error;
  bool is_pending = false;
  if (status < 0) device->is_polling = false;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_global(env, &receiver) == napi_ok &&
      napi_get_reference_value(env, device->callback, &callback) == napi_ok && callback != NULL) {
    argument = make_integer(env, status < 0 ? status : events);
    napi_make_callback(env, device->context, receiver, callback, 1, &argument, NULL);
    // From here on the device may be closed, but its memory stays until on_closed.
    if (napi_is_exception_pending(env, &is_pending) == napi_ok && is_pending &&
        napi_get_and_clear_last_exception(env, &error) == napi_ok)
      napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

// watch(device, callback)
static napi_value watch(napi_env env, napi_callback_info info) {
  napi_value values[2], name;
  napi_valuetype type;
  struct device *device = device_argument(env, info, 2, values);
  if (device == NULL) return NULL;
  if (napi_typeof(env, values[1], &type) != napi_ok || type != napi_function) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "\"callback\" must be a function");
    return NULL;
  }
  if (device->callback != NULL) napi_delete_reference(env, device->callback);
  device->callback = NULL;
  napi_create_reference(env, values[1], 1, &device->callback);
  if (device->context == NULL) {
    napi_create_string_utf8(env, "TUN", NAPI_AUTO_LENGTH, &name);
    napi_async_init(env, NULL, name, &device->context);
  }
  int error = uv_poll_start(&device->poll, UV_READABLE, on_ready);
  device->is_polling = error == 0;
  if (error < 0) throw_errno(env, -error, "uv_poll_start");
  return NULL;
}

// await(device, events): UV_READABLE, with UV_WRITABLE while packets wait for room. Nothing once the watch has ended.
static napi_value await_events(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t events;
  struct device *device = device_argument(env, info, 2, values);
  if (device == NULL || !read_integer(env, values[1], "events", 0, UV_READABLE | UV_WRITABLE, &events)) return NULL;
  if (device->is_polling) uv_poll_start(&device->poll, events, on_ready);
  return NULL;
}

// hold(device, 0 or 1): whether the watch keeps the process alive
static napi_value hold(napi_env env, napi_callback_info info) {
  napi_value values[2];
  int32_t is_held;
  struct device *device = device_argument(env, info, 2, values);
  if (device == NULL || !read_integer(env, values[1], "isHeld", 0, 1, &is_held)) return NULL;
  if (is_held)
    uv_ref((uv_handle_t *)&device->poll);
  else
    uv_unref((uv_handle_t *)&device->poll);
  return NULL;
}

void add_tun(napi_env env, napi_value exports) {
  struct environment *environment = calloc(1, sizeof *environment);
  if (environment == NULL || napi_set_instance_data(env, environment, free_environment, NULL) != napi_ok) {
    free(environment);
    napi_throw_error(env, "ENOMEM", "no memory for the addon");
    return;
  }
  add_function(env, exports, "open", open_device, environment);
  add_function(env, exports, "close", close_function, environment);
  add_function(env, exports, "watch", watch, environment);
  add_function(env, exports, "await", await_events, environment);
  add_function(env, exports, "hold", hold, environment);
  add_interface(env, exports, environment);
  add_packets(env, exports, environment);
}
