#include "net/http_server.h"

// ThreadSanitizer knows no fences, and g++ refuses them under it; Asio does without.
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "net/exchange.h"
#include "net/request_target.h"
#include "net/response_writer.h"
#include "net/worker_threads.h"

namespace holdfast::net {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Parser = http::request_parser<http::buffer_body>;

// A first read this large holds most headers, and is what an idle connection costs.
constexpr size_t kFirstReadBytes = 4096;
constexpr size_t kPieceBytes = size_t{64} << 10U;

// After an early answer the peer may still be sending. Closing at once would reset the connection
// and take the answer with it, so its bytes are thrown away for a while (RFC 9112 §9.6).
constexpr Duration kLingerTime = std::chrono::seconds{2};
constexpr size_t kLingerBytesMax = size_t{16} << 20U;

constexpr Duration kAcceptPause = std::chrono::milliseconds{50};

// The body of the request that `parser` has read the header of; `buffer` holds what came with it.
// `length`: as the header says, if it does.
class ParsedBody final : public BodyDecoder {
 public:
  ParsedBody(Parser& parser, beast::flat_buffer& buffer, std::optional<uint64_t> length)
      : parser_(parser), buffer_(buffer), length_(length) {}

  bool done() const override { return parser_.is_done(); }

  std::optional<uint64_t> remaining_bytes() const override {
    if (!length_) return std::nullopt;
    return *length_ - decoded_;
  }

  Result<size_t> Decode(SocketStream& stream, std::span<char> out) override {
    auto& body = parser_.get().body();
    body.data = out.data();
    body.size = out.size();
    bool starved = buffer_.size() == 0;
    while (body.size == out.size() && !parser_.is_done()) {
      if (starved) HF_RETURN_IF_ERROR(Fill(stream));
      error_code error;
      buffer_.consume(parser_.put(buffer_.data(), error));
      starved = buffer_.size() == 0 || error == http::error::need_more;
      if (error && error != http::error::need_more && error != http::error::need_buffer) {
        return MakeError(ErrorId::kHttpInvalidRequest, "malformed body: " + error.message());
      }
    }
    decoded_ += out.size() - body.size;
    return out.size() - body.size;
  }

 private:
  Status Fill(SocketStream& stream) {
    const size_t room = std::min(kPieceBytes, buffer_.max_size() - buffer_.size());
    if (room == 0)
      return MakeError(ErrorId::kHttpInvalidRequest, "malformed body: endless chunk line");
    const auto space = buffer_.prepare(room);
    HF_ASSIGN_OR_RETURN(const size_t count,
                        stream.ReadSome({static_cast<char*>(space.data()), space.size()}));
    if (count == 0) return MakeError(ErrorId::kHttpConnectionLost, "the peer closed in mid-body");
    buffer_.commit(count);
    return Ok();
  }

  Parser& parser_;
  beast::flat_buffer& buffer_;
  std::optional<uint64_t> length_;
  uint64_t decoded_ = 0;
};

// Why a request whose header was parsed cannot be served, as status and text.
struct Refusal {
  int status;
  std::string_view text;
};

// Framing that two parties might read differently is refused, not interpreted: it is how requests
// are smuggled (RFC 9112 §6.1, §11.2).
std::optional<Refusal> FindRefusal(const Parser& parser) {
  const auto& message = parser.get();
  const auto codings = message.equal_range(http::field::transfer_encoding);
  if (codings.first != codings.second) {
    if (std::next(codings.first) != codings.second ||
        !beast::iequals(codings.first->value(), "chunked")) {
      return Refusal{501, "only the transfer encoding \"chunked\" is understood"};
    }
    if (message.version() < 11 || message.count(http::field::content_length) > 0) {
      return Refusal{400, "ambiguous length of the body"};
    }
  }
  if (message.version() >= 11 && message.count(http::field::host) != 1) {
    return Refusal{400, "one Host header is needed"};
  }
  return std::nullopt;
}

class Connection;

class Server final : public HttpServer {
 public:
  Server(HttpServerOptions options, HttpHandler handler)
      : options_(std::move(options)), handler_(std::move(handler)) {}
  ~Server() override { Stop(); }

  Status Listen();
  uint16_t port() const override { return port_; }
  void Stop() override {
    std::call_once(stopped_, [this] { StopOnce(); });
  }

  const HttpServerOptions& options() const { return options_; }
  const HttpHandler& handler() const { return handler_; }
  WorkerThreads& workers() { return workers_; }
  bool stopping() const { return stopping_; }
  void Forget(const std::shared_ptr<Connection>& connection);

 private:
  Status Bind();
  void Accept();
  void Welcome(tcp::socket socket);
  void StopOnce();
  bool WaitUntilEmpty(std::optional<Duration> patience);
  void ForEachConnection(void (Connection::*action)());

  const HttpServerOptions options_;
  const HttpHandler handler_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  tcp::acceptor acceptor_{asio::make_strand(context_)};
  asio::steady_timer accept_timer_{acceptor_.get_executor()};
  uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::once_flag stopped_;
  std::mutex mutex_;
  std::condition_variable emptied_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::vector<std::thread> io_threads_;
  WorkerThreads workers_{std::max(options_.worker_threads, 1)};
};

// One connection. It waits for a request on its strand, hands the exchange to a worker, and gets
// the connection back: so nothing of it is ever used by two threads at once. Owned by the server's
// set and by what is under way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Server& server, tcp::socket socket)
      : server_(server),
        stream_(std::move(socket)),
        buffer_(server.options().header_bytes_max + kPieceBytes) {}

  // All of these run on the strand.
  asio::any_io_executor executor() { return stream_.get_executor(); }
  void AwaitRequest();
  void AnswerEarly(int status, std::string_view text);  // and closes
  void CloseIfIdle();
  void CutOff();  // ends the waits of a running exchange, too

 private:
  void ReadHeader();
  void OnHeader(error_code error);
  void StartExchange();
  void OnExchangeDone(ConnectionFate fate);
  void Linger(size_t discarded_bytes);
  void Close();
  ServerRequest MakeRequest(RequestTarget target);
  int socket() { return stream_.socket().native_handle(); }

  Server& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  ServerRequest request_;
  bool busy_ = false;  // a worker has the connection
  bool closed_ = false;
};

void Connection::AwaitRequest() {
  if (server_.stopping()) return Close();
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(server_.options().header_bytes_max));
  // Bodies stream; and "none" means 0 to this version of Beast.
  parser_->body_limit(std::numeric_limits<uint64_t>::max());
  if (buffer_.size() > 0) return ReadHeader();
  buffer_.shrink_to_fit();
  stream_.expires_after(server_.options().idle_timeout);
  stream_.async_read_some(buffer_.prepare(kFirstReadBytes),
                          [self = shared_from_this()](error_code error, size_t count) {
                            if (error || self->closed_) return self->Close();
                            self->buffer_.commit(count);
                            self->ReadHeader();
                          });
}

void Connection::ReadHeader() {
  stream_.expires_after(server_.options().header_timeout);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, size_t) { self->OnHeader(error); });
}

void Connection::OnHeader(error_code error) {
  if (closed_) return;
  stream_.expires_never();
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return AnswerEarly(431, "the header is too large");
  }
  if (error && error.category() == make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    return AnswerEarly(400, "malformed request: " + error.message());
  }
  if (error) return Close();  // the peer left or was too slow
  if (const auto refusal = FindRefusal(*parser_)) {
    return AnswerEarly(refusal->status, refusal->text);
  }
  StartExchange();
}

void Connection::AnswerEarly(int status, std::string_view text) {
  HttpResponse response;
  response.status = status;
  response.headers.Set("Content-Type", "text/plain; charset=utf-8");
  response.body.append(text).append("\n");
  // No patience: this runs on an I/O thread, and the answer fits into an empty send buffer.
  SocketStream stream(socket(), {.idle_timeout = Duration{0}});
  const auto sent =
      WriteResponse(stream, response, {.keep_alive = false, .clock = server_.options().clock});
  OnExchangeDone(sent.ok() ? ConnectionFate::kLinger : ConnectionFate::kReset);
}

ServerRequest Connection::MakeRequest(RequestTarget target) {
  const auto& message = parser_->get();
  ServerRequest request;
  request.method = std::string(message.method_string());
  request.path = std::move(target.path);
  request.segments = std::move(target.segments);
  request.query = std::move(target.query);
  for (const auto& field : message) {
    const auto name = field.name_string();
    const auto value = field.value();
    request.headers.Add({name.data(), name.size()}, {value.data(), value.size()});
  }
  error_code ignored;
  const auto peer = stream_.socket().remote_endpoint(ignored);
  const std::string address = peer.address().to_string(ignored);
  request.remote_address = peer.address().is_v6() ? fmt::format("[{}]:{}", address, peer.port())
                                                  : fmt::format("{}:{}", address, peer.port());
  if (const auto length = parser_->content_length()) request.content_length = *length;
  return request;
}

void Connection::StartExchange() {
  const auto target_text = parser_->get().target();
  auto target = ParseRequestTarget({target_text.data(), target_text.size()});
  if (!target.ok()) return AnswerEarly(400, target.error().message);
  request_ = MakeRequest(*std::move(target));
  busy_ = true;
  server_.workers().Run([self = shared_from_this()] {
    ParsedBody body(*self->parser_, self->buffer_, self->request_.content_length);
    const Exchange exchange = {
        .socket = self->socket(),
        .http_1_0 = self->parser_->get().version() < 11,
        .keep_alive = self->parser_->keep_alive(),
        .expect_continue =
            beast::iequals(self->parser_->get()[http::field::expect], "100-continue"),
        .body = &body,
    };
    const ConnectionFate fate =
        RunExchange(exchange, self->request_, self->server_.handler(), self->server_.options());
    self->request_ = {};
    asio::post(self->executor(), [self, fate] {
      self->busy_ = false;
      self->OnExchangeDone(fate);
    });
  });
}

void Connection::OnExchangeDone(ConnectionFate fate) {
  switch (fate) {
    case ConnectionFate::kKeep:
      return AwaitRequest();
    case ConnectionFate::kLinger: {
      error_code ignored;
      stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
      stream_.expires_after(kLingerTime);
      buffer_.clear();
      return Linger(0);
    }
    case ConnectionFate::kReset: {
      error_code ignored;
      stream_.socket().set_option(asio::socket_base::linger(true, 0), ignored);
      return Close();
    }
  }
}

void Connection::Linger(size_t discarded_bytes) {
  if (discarded_bytes > kLingerBytesMax) return Close();
  buffer_.clear();
  stream_.async_read_some(
      buffer_.prepare(kPieceBytes),
      [self = shared_from_this(), discarded_bytes](error_code error, size_t count) {
        if (error || self->closed_) return self->Close();
        self->Linger(discarded_bytes + count);
      });
}

void Connection::CloseIfIdle() {
  if (!busy_) Close();
}

void Connection::CutOff() {
  CloseIfIdle();
  if (busy_) shutdown(socket(), SHUT_RDWR);
}

void Connection::Close() {
  if (closed_) return;
  closed_ = true;
  stream_.close();
  server_.Forget(shared_from_this());
}

Status Server::Bind() {
  try {
    const tcp::endpoint endpoint(asio::ip::make_address(options_.address), options_.port);
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
    port_ = acceptor_.local_endpoint().port();
    return Ok();
  } catch (const boost::system::system_error& error) {
    return MakeError(ErrorId::kHttpListenFailed,
                     fmt::format("cannot listen on {} port {}: {}", options_.address, options_.port,
                                 error.code().message()));
  }
}

Status Server::Listen() {
  HF_RETURN_IF_ERROR(Bind());
  for (int i = 0; i < std::max(options_.io_threads, 1); ++i) {
    io_threads_.emplace_back([this] { context_.run(); });
  }
  asio::post(acceptor_.get_executor(), [this] { Accept(); });
  return Ok();
}

void Server::Accept() {
  if (stopping_) return;
  acceptor_.async_accept(asio::make_strand(context_), [this](error_code error, tcp::socket socket) {
    if (stopping_) return;
    if (!error) {
      Welcome(std::move(socket));
      return Accept();
    }
    // Out of descriptors, most likely: trying again at once would spin.
    LogWarning("accepting a connection failed", {{"error", error.message()}});
    accept_timer_.expires_after(kAcceptPause);
    accept_timer_.async_wait([this](error_code) { Accept(); });
  });
}

void Server::Welcome(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto connection = std::make_shared<Connection>(*this, std::move(socket));
  bool crowded = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    crowded = connections_.size() >= static_cast<size_t>(options_.connections_max);
    // Refused ones are counted, too, but not without end: their farewell takes seconds.
    if (connections_.size() >= 2 * static_cast<size_t>(options_.connections_max)) return;
    connections_.insert(connection);
  }
  asio::post(connection->executor(), [connection, crowded] {
    if (crowded) return connection->AnswerEarly(503, "too many connections");
    connection->AwaitRequest();
  });
}

void Server::Forget(const std::shared_ptr<Connection>& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  if (connections_.empty()) emptied_.notify_all();
}

void Server::ForEachConnection(void (Connection::*action)()) {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : connections_) {
    asio::post(connection->executor(), [connection, action] { ((*connection).*action)(); });
  }
}

bool Server::WaitUntilEmpty(std::optional<Duration> patience) {
  std::unique_lock lock(mutex_);
  const auto is_empty = [this] { return connections_.empty(); };
  if (patience) return emptied_.wait_for(lock, *patience, is_empty);
  emptied_.wait(lock, is_empty);
  return true;
}

void Server::StopOnce() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  asio::post(acceptor_.get_executor(), [this] {
    error_code ignored;
    acceptor_.close(ignored);
    accept_timer_.cancel(ignored);
  });
  ForEachConnection(&Connection::CloseIfIdle);
  if (!WaitUntilEmpty(options_.stop_grace)) {
    ForEachConnection(&Connection::CutOff);
    WaitUntilEmpty(std::nullopt);
  }
  workers_.Stop();
  work_.reset();
  for (std::thread& thread : io_threads_) thread.join();
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options,
                                                      HttpHandler handler) {
  auto server = std::make_unique<Server>(std::move(options), std::move(handler));
  HF_RETURN_IF_ERROR(server->Listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace holdfast::net
