// A TUN device from open to close: made known to JavaScript, watched by uv_poll, and let go of, also when its worker or the
// process ends. What moves packets is packets.c, what sets the interface up is interface.c; none knows a protocol.
// Opening is opening.c. Called by src/node/tun-device.ts. A device is a number to JavaScript, never used twice, so that use after close
// is an error (EBADF) and not an access to what is gone.
#include "device.h"
#include "opening.h"
#include "outgoing.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

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
  free(device->outgoing);
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
  close_ring(device->outgoing->ring);
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

// libuv watches a descriptor only once it is a device: before TUNSETIFF it polls as an error.
static struct device *make_device(napi_env env, struct environment *environment, const struct opening *opening, bool has_ring) {
  struct device *device = calloc(1, sizeof *device);
  struct outgoing *outgoing = calloc(1, sizeof *outgoing);
  struct uv_loop_s *loop;
  bool has_memory = device != NULL && outgoing != NULL;
  if (!has_memory || napi_get_uv_event_loop(env, &loop) != napi_ok || uv_poll_init(loop, &device->poll, opening->descriptor) != 0) {
    free(outgoing);
    free(device);
    return NULL;
  }
  outgoing->descriptor = opening->descriptor;
  outgoing->ring = has_ring ? open_ring(opening->descriptor) : NULL;
  device->outgoing = outgoing;
  device->env = env;
  device->environment = environment;
  device->descriptor = opening->descriptor;
  device->netlink = opening->netlink;
  device->header = opening->header;
  device->is_software = opening->is_software;
  device->poll.data = device;
  device->number = ++environment->last_number;
  device->next = environment->first;
  environment->first = device;
  napi_add_async_cleanup_hook(env, on_cleanup, device, &device->cleanup);
  return device;
}

// open(name, offload, namespace, ring) -> { device, name, header, offload, software, ring }. Where the kernel has no segmentation, software stands in.
static napi_value open_device(napi_env env, napi_callback_info info) {
  napi_value values[4], result, text;
  void *environment;
  char name[IFNAMSIZ];
  char namespace[256];
  int32_t wanted, has_ring;
  if (!read_arguments(env, info, 4, values, &environment) || !read_text(env, values[0], "name", name, sizeof name) ||
      !read_integer(env, values[1], "offload", NO_OFFLOAD, MERGED_BY_KERNEL, &wanted) ||
      !read_text(env, values[2], "namespace", namespace, sizeof namespace) ||
      !read_integer(env, values[3], "ring", 0, 1, &has_ring))
    return NULL;

  struct opening opening = {.namespace = namespace, .wanted = wanted, .descriptor = -1};
  if (!open_descriptors(&opening, name)) {
    throw_errno(env, opening.error, opening.failed);
    return NULL;
  }
  struct device *device = make_device(env, environment, &opening, has_ring);
  if (device == NULL) {
    close_opening(&opening);
    throw_errno(env, ENOMEM, "uv_poll_init");
    return NULL;
  }
  napi_create_object(env, &result);
  set_integer(env, result, "device", device->number);
  set_integer(env, result, "header", device->header);
  set_integer(env, result, "offload", opening.offload);
  set_integer(env, result, "software", device->is_software);
  set_integer(env, result, "ring", device->outgoing->ring != NULL);
  napi_create_string_utf8(env, opening.name, NAPI_AUTO_LENGTH, &text);
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
