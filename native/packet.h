// Fields of packets and of the header before them, for merge.c and segment.c: places, flags, and reading in network order.
#ifndef TUNSTACK_PACKET_H
#define TUNSTACK_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define DONT_FRAGMENT 0x40

#define TCP 6
#define UDP 17
#define TCP_HEADER 20
#define UDP_HEADER 8
#define TCP_CHECKSUM 16
#define UDP_CHECKSUM 6

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20
#define CWR 0x80

// struct virtio_net_hdr, whose numbers are little endian: where its fields lie, and what they say.
enum { HEADER_FLAGS = 0, HEADER_TYPE = 1, HEADER_LENGTH = 2, HEADER_SIZE = 4, HEADER_START = 6, HEADER_FIELD = 8 };
#define NEEDS_CHECKSUM 1
#define DATA_VALID 2
#define TYPE_TCP4 1
#define TYPE_TCP6 4
#define TYPE_ECN 0x80

static inline uint16_t read16(const uint8_t *at) {
  return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t read32(const uint8_t *at) {
  return (uint32_t)read16(at) << 16 | read16(at + 2);
}

static inline void write16(uint8_t *at, size_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static inline size_t read16_little(const uint8_t *at) {
  return (size_t)(at[0] | at[1] << 8);
}

static inline void write16_little(uint8_t *at, size_t value) {
  at[0] = (uint8_t)value;
  at[1] = (uint8_t)(value >> 8);
}

#endif
