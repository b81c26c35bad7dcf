{
  "targets": [
    {
      "target_name": "tunstack",
      "sources": ["native/module.c", "native/arguments.c", "native/idle.c"],
      "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
      "cflags": ["-std=c11", "-Wall", "-Wextra", "-Wno-cast-function-type", "-fvisibility=hidden"],
      "conditions": [["OS=='linux'", { "sources": ["native/tun.c", "native/opening.c", "native/interface.c", "native/netlink.c", "native/packets.c", "native/checksum.c", "native/merge.c", "native/segment.c", "native/join.c", "native/outgoing.c", "native/ring.c"] }]]
    }
  ]
}
