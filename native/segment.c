// Departing packets of a device to which the kernel's segmentation is not left: super-segments are cut. Each segment has headers of its own;
// its text is written from where it lies. Checksums stay the kernel's: it completes them where they leave the machine, and a program on it does without.
#include "outgoing.h"
#include "packet.h"

#include <errno.h>
#include <string.h>

struct template {
  const uint8_t *packet;
  size_t ip_header;
  size_t length;
  uint32_t sequence;
  uint16_t identification;
};

// A receiver that merges segments knows by PSH that nothing follows at once, and hands on what it has. Linux says so too, with the last one
// of several; here a single one may be waited with as well.
static void push(uint8_t *packet, size_t length, size_t start, size_t field) {
  if (field != TCP_CHECKSUM || length < start + TCP_HEADER) return;
  if (length > start + (size_t)(packet[start + 12] >> 4) * 4) packet[start + 13] |= PSH;
}

// The super-segment's headers before `text` octets, `done` octets of its text having gone before them.
static void write_headers(uint8_t *packet, const struct template *from, size_t done, size_t text) {
  size_t ip_header = from->ip_header;
  memcpy(packet, from->packet, from->length);
  if (ip_header == IPV4_HEADER) write16(packet + 2, from->length + text);
  else write16(packet + 4, from->length + text - ip_header);
  uint32_t sequence = from->sequence + (uint32_t)done;
  write16(packet + ip_header + 4, sequence >> 16);
  write16(packet + ip_header + 6, sequence);
}

static void complete_headers(uint8_t *packet, const struct template *from, size_t index, bool is_last, size_t text) {
  size_t ip_header = from->ip_header;
  uint8_t *tcp = packet + ip_header;
  if (ip_header == IPV4_HEADER) {
    // RFC 6864: the identification of what can't be fragmented says nothing, and stays as it is.
    if ((packet[6] & DONT_FRAGMENT) == 0) write16(packet + 4, from->identification + index);
    write_ipv4_checksum(packet);
  }
  tcp[13] = is_last ? tcp[13] | PSH : tcp[13] & (uint8_t)~(FIN | PSH);
  if (index > 0) tcp[13] &= (uint8_t)~CWR;
  uint16_t partial = fold_sum(pseudo_sum(packet, TCP, from->length - ip_header + text));
  memcpy(tcp + TCP_CHECKSUM, &partial, 2);
}

static bool read_template(struct template *template, const uint8_t *packet, size_t length, size_t start) {
  if (length < start + TCP_HEADER) return false;
  bool is_ipv4 = packet[0] == 0x45 && start == IPV4_HEADER;
  if (!is_ipv4 && !(packet[0] >> 4 == 6 && start >= IPV6_HEADER)) return false;
  template->ip_header = start;
  template->length = start + (size_t)(packet[start + 12] >> 4) * 4;
  if (template->length < start + TCP_HEADER || template->length > length || template->length > LONGEST_HEADERS) return false;
  template->packet = packet;
  template->sequence = read32(packet + start + 4);
  template->identification = (uint16_t)(packet[4] << 8 | packet[5]);
  return true;
}

static void add_cut(struct outgoing *outgoing, struct rows *rows, int32_t row, const struct template *template, size_t size) {
  uint8_t header[OFFLOAD_HEADER] = {NEEDS_CHECKSUM};
  write16_little(header + HEADER_START, template->ip_header);
  write16_little(header + HEADER_FIELD, TCP_CHECKSUM);
  size_t whole = (size_t)rows->lengths[row] - template->length;
  const uint8_t *text = template->packet + template->length;
  for (size_t done = 0, index = 0; done < whole && !is_refused(rows, row); index++) {
    size_t length = whole - done < size ? whole - done : size;
    struct piece *piece = add_piece(outgoing, rows, row);
    uint8_t *headers = outgoing->headers[piece - outgoing->pieces];
    memcpy(headers, header, OFFLOAD_HEADER);
    write_headers(headers + OFFLOAD_HEADER, template, done, length);
    complete_headers(headers + OFFLOAD_HEADER, template, index, done + length == whole, length);
    piece->parts[0] = (struct iovec){headers, OFFLOAD_HEADER + template->length};
    piece->parts[1] = (struct iovec){(void *)(text + done), length};
    piece->count = 2;
    piece->done = (int32_t)done;
    done += length;
  }
}

int add_segments(struct outgoing *outgoing, struct rows *rows, int32_t row) {
  struct template template;
  uint8_t *packet = rows->bytes + rows->offsets[row];
  const uint8_t *header = packet - OFFLOAD_HEADER;
  size_t length = (size_t)rows->lengths[row], start = read16_little(header + HEADER_START), size = read16_little(header + HEADER_SIZE);
  uint8_t type = header[HEADER_TYPE] & (uint8_t)~TYPE_ECN;
  if (type == 0) {
    if (header[HEADER_FLAGS] & NEEDS_CHECKSUM) push(packet, length, start, read16_little(header + HEADER_FIELD));
    add_packet(outgoing, rows, row, OFFLOAD_HEADER);
    return 0;
  }
  if ((type != TYPE_TCP4 && type != TYPE_TCP6) || size == 0 || !read_template(&template, packet, length, start)) return -EINVAL;
  add_cut(outgoing, rows, row, &template, size);
  return 0;
}

void keep_rest(struct rows *rows, int32_t row, int32_t done) {
  struct template template;
  uint8_t headers[OFFLOAD_HEADER + LONGEST_HEADERS];
  uint8_t *packet = rows->bytes + rows->offsets[row];
  size_t length = (size_t)rows->lengths[row], start = read16_little(packet - OFFLOAD_HEADER + HEADER_START);
  size_t size = read16_little(packet - OFFLOAD_HEADER + HEADER_SIZE), index = (size_t)done / size;
  read_template(&template, packet, length, start);
  memcpy(headers, packet - OFFLOAD_HEADER, OFFLOAD_HEADER + template.length);
  template.packet = headers + OFFLOAD_HEADER;
  uint8_t *rest = packet + done;
  memcpy(rest - OFFLOAD_HEADER, headers, OFFLOAD_HEADER);
  write_headers(rest, &template, (size_t)done, length - template.length - (size_t)done);
  rest[start + 13] &= (uint8_t)~CWR;
  if (start == IPV4_HEADER && (rest[6] & DONT_FRAGMENT) == 0) write16(rest + 4, template.identification + index);
  rows->offsets[row] += done;
  rows->lengths[row] -= done;
}
