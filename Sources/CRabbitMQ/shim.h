#ifndef ROLLCALL_CRABBITMQ_SHIM_H
#define ROLLCALL_CRABBITMQ_SHIM_H
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

// Variadic in the library, and Swift calls no variadic functions: this is its form for SASL PLAIN.
static inline amqp_rpc_reply_t rollcall_amqp_login_plain(
    amqp_connection_state_t connection, const char *vhost, int channel_max, int frame_max, int heartbeat,
    const amqp_table_t *client_properties, const char *user, const char *password) {
  return amqp_login_with_properties(connection, vhost, channel_max, frame_max, heartbeat, client_properties,
                                    AMQP_SASL_METHOD_PLAIN, user, password);
}

// Macros with a cast in them, which Swift does not import.
static const amqp_method_number_t rollcall_connection_close = AMQP_CONNECTION_CLOSE_METHOD;
static const amqp_method_number_t rollcall_connection_close_ok = AMQP_CONNECTION_CLOSE_OK_METHOD;
static const amqp_method_number_t rollcall_connection_blocked = AMQP_CONNECTION_BLOCKED_METHOD;
static const amqp_method_number_t rollcall_connection_unblocked = AMQP_CONNECTION_UNBLOCKED_METHOD;
static const amqp_method_number_t rollcall_channel_open = AMQP_CHANNEL_OPEN_METHOD;
static const amqp_method_number_t rollcall_channel_open_ok = AMQP_CHANNEL_OPEN_OK_METHOD;
static const amqp_method_number_t rollcall_channel_close = AMQP_CHANNEL_CLOSE_METHOD;
static const amqp_method_number_t rollcall_channel_close_ok = AMQP_CHANNEL_CLOSE_OK_METHOD;
static const amqp_method_number_t rollcall_basic_qos = AMQP_BASIC_QOS_METHOD;
static const amqp_method_number_t rollcall_basic_qos_ok = AMQP_BASIC_QOS_OK_METHOD;
static const amqp_method_number_t rollcall_basic_consume = AMQP_BASIC_CONSUME_METHOD;
static const amqp_method_number_t rollcall_basic_consume_ok = AMQP_BASIC_CONSUME_OK_METHOD;
static const amqp_method_number_t rollcall_basic_cancel = AMQP_BASIC_CANCEL_METHOD;
static const amqp_method_number_t rollcall_basic_deliver = AMQP_BASIC_DELIVER_METHOD;
static const amqp_method_number_t rollcall_basic_return = AMQP_BASIC_RETURN_METHOD;
static const amqp_method_number_t rollcall_basic_ack = AMQP_BASIC_ACK_METHOD;
static const amqp_method_number_t rollcall_basic_nack = AMQP_BASIC_NACK_METHOD;
#endif
