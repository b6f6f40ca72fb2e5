#include "localcloud/pubsub/validation.h"

#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "localcloud/pubsub/filter.h"
#include "model/resource_names.h"

namespace holdfast::pubsub {

namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr size_t kIdBytesMin = 3;
constexpr size_t kIdBytesMax = 255;
constexpr size_t kLabelsMax = 64;
constexpr int kAttributesMax = 100;
constexpr size_t kAttributeKeyBytesMax = 256;
constexpr size_t kAttributeValueBytesMax = 1024;
constexpr size_t kOrderingKeyBytesMax = 1024;
constexpr int kDefaultAckDeadline = 10;
constexpr int kDefaultAttempts = 5;
constexpr Duration kRetentionMin = minutes{10};
constexpr Duration kRetentionMax = days{31};
constexpr Duration kDefaultRetention = days{7};
constexpr Duration kDefaultExpiration = days{31};
constexpr Duration kExpirationMin = days{1};
constexpr Duration kBackoffMax = seconds{600};
constexpr Duration kDefaultBackoff = seconds{10};

Error Unimplemented(std::string_view what) {
  return MakeError(ErrorId::kPubsubUnimplemented,
                   std::string(what) + " is not part of localcloud's Pub/Sub");
}

bool IsIdCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-_.~+%").find(c) != std::string_view::npos;
}

Status ValidateId(std::string_view id, std::string_view name) {
  const bool valid = id.size() >= kIdBytesMin && id.size() <= kIdBytesMax &&
                     std::isalpha(static_cast<unsigned char>(id.front())) != 0 &&
                     std::ranges::all_of(id, IsIdCharacter) && !id.starts_with("goog");
  if (valid) return Ok();
  return Invalid("\"" + std::string(name) +
                 "\": the last part must be 3 to 255 letters, digits or -_.~+%, begin with a "
                 "letter, and not with \"goog\"");
}

// Splits "projects/P/<collection>/ID" and checks both parts.
Result<std::string> ProjectOf(std::string_view name, std::string_view collection) {
  constexpr std::string_view kPrefix = "projects/";
  const std::string middle = "/" + std::string(collection) + "/";
  const size_t at = name.find(middle);
  if (!name.starts_with(kPrefix) || at == std::string_view::npos) {
    return Invalid("\"" + std::string(name) + "\" is not of the form projects/PROJECT" + middle +
                   "NAME");
  }
  const std::string_view project = name.substr(kPrefix.size(), at - kPrefix.size());
  if (!ValidateProjectId(project).ok()) {
    return Invalid("\"" + std::string(name) + "\": malformed project id");
  }
  HF_RETURN_IF_ERROR(ValidateId(name.substr(at + middle.size()), name));
  return std::string(project);
}

Status ValidateRange(std::string_view field, Duration value, Duration low, Duration high) {
  if (value >= low && value <= high) return Ok();
  const auto text = [](Duration d) {
    return std::to_string(std::chrono::duration_cast<seconds>(d).count()) + "s";
  };
  return Invalid(std::string(field) + ": must be from " + text(low) + " to " + text(high));
}

Status ValidateLabels(size_t count) {
  if (count <= kLabelsMax) return Ok();
  return Invalid("labels: more than " + std::to_string(kLabelsMax));
}

void SetDuration(google::protobuf::Duration& wire_duration, Duration duration) {
  wire_duration.set_seconds(std::chrono::duration_cast<seconds>(duration).count());
}

Status RefuseUnimplemented(const wire::Subscription& subscription) {
  if (!subscription.push_config().push_endpoint().empty()) return Unimplemented("push delivery");
  if (subscription.has_bigquery_config()) return Unimplemented("delivery to BigQuery");
  if (subscription.has_cloud_storage_config()) return Unimplemented("delivery to Cloud Storage");
  if (subscription.has_bigtable_config()) return Unimplemented("delivery to Bigtable");
  if (subscription.message_transforms_size() > 0) return Unimplemented("a message transform");
  return Ok();
}

Status CompleteDeadLetterPolicy(wire::Subscription& subscription) {
  if (!subscription.has_dead_letter_policy()) return Ok();
  wire::DeadLetterPolicy& policy = *subscription.mutable_dead_letter_policy();
  if (policy.dead_letter_topic().empty()) return Invalid("dead_letter_policy: without a topic");
  HF_RETURN_IF_ERROR(ProjectOfTopic(policy.dead_letter_topic()));
  if (policy.max_delivery_attempts() == 0) policy.set_max_delivery_attempts(kDefaultAttempts);
  if (policy.max_delivery_attempts() < 5 || policy.max_delivery_attempts() > 100) {
    return Invalid("dead_letter_policy.max_delivery_attempts: must be from 5 to 100");
  }
  return Ok();
}

Status CompleteRetryPolicy(wire::Subscription& subscription) {
  if (!subscription.has_retry_policy()) return Ok();
  wire::RetryPolicy& policy = *subscription.mutable_retry_policy();
  if (!policy.has_minimum_backoff()) {
    SetDuration(*policy.mutable_minimum_backoff(), kDefaultBackoff);
  }
  if (!policy.has_maximum_backoff()) SetDuration(*policy.mutable_maximum_backoff(), kBackoffMax);
  const Duration minimum = ToDuration(policy.minimum_backoff());
  const Duration maximum = ToDuration(policy.maximum_backoff());
  HF_RETURN_IF_ERROR(
      ValidateRange("retry_policy.minimum_backoff", minimum, Duration{0}, kBackoffMax));
  return ValidateRange("retry_policy.maximum_backoff", maximum, minimum, kBackoffMax);
}

Status ValidateMessage(const wire::PubsubMessage& message) {
  if (message.data().empty() && message.attributes().empty()) {
    return Invalid("a message needs data or an attribute");
  }
  if (message.attributes_size() > kAttributesMax) return Invalid("more than 100 attributes");
  if (message.ordering_key().size() > kOrderingKeyBytesMax) {
    return Invalid("ordering_key: longer than 1024 bytes");
  }
  for (const auto& [key, value] : message.attributes()) {
    if (key.empty() || key.size() > kAttributeKeyBytesMax || key.starts_with("goog")) {
      return Invalid("attribute key: must be 1 to 256 bytes, and not begin with \"goog\"");
    }
    if (value.size() > kAttributeValueBytesMax) {
      return Invalid("attribute \"" + key + "\": longer than 1024 bytes");
    }
  }
  return Ok();
}

template <typename Settings>
Status ValidateMask(const google::protobuf::FieldMask& mask,
                    std::span<const std::string_view> mutable_fields) {
  if (mask.paths().empty()) return Invalid("update_mask: empty");
  for (const std::string& path : mask.paths()) {
    if (!google::protobuf::util::FieldMaskUtil::IsValidPath<Settings>(path)) {
      return Invalid("update_mask: no field \"" + path + "\"");
    }
    const std::string_view field = std::string_view(path).substr(0, path.find('.'));
    if (std::ranges::find(mutable_fields, field) == mutable_fields.end()) {
      return Invalid("update_mask: \"" + path + "\" cannot be changed");
    }
  }
  return Ok();
}

}  // namespace

Error Invalid(std::string message) {
  return MakeError(ErrorId::kPubsubInvalidRequest, std::move(message));
}

Result<std::string> ProjectOfTopic(std::string_view name) { return ProjectOf(name, "topics"); }

Result<std::string> ProjectOfSubscription(std::string_view name) {
  return ProjectOf(name, "subscriptions");
}

Result<std::string> ProjectOfName(std::string_view name) {
  constexpr std::string_view kPrefix = "projects/";
  if (name.starts_with(kPrefix) && ValidateProjectId(name.substr(kPrefix.size())).ok()) {
    return std::string(name.substr(kPrefix.size()));
  }
  return Invalid("\"" + std::string(name) + "\" is not of the form projects/PROJECT");
}

std::string_view LastSegment(std::string_view name) { return name.substr(name.rfind('/') + 1); }

Status ValidateTopic(const wire::Topic& topic) {
  HF_RETURN_IF_ERROR(ProjectOfTopic(topic.name()));
  HF_RETURN_IF_ERROR(ValidateLabels(topic.labels().size()));
  if (topic.has_schema_settings()) return Unimplemented("a topic with a schema");
  if (topic.has_ingestion_data_source_settings()) return Unimplemented("ingestion into a topic");
  if (topic.message_transforms_size() > 0) return Unimplemented("a message transform");
  if (!topic.has_message_retention_duration()) return Ok();
  return ValidateRange("message_retention_duration", ToDuration(topic.message_retention_duration()),
                       kRetentionMin, kRetentionMax);
}

Status CompleteSubscription(wire::Subscription& subscription) {
  HF_RETURN_IF_ERROR(ProjectOfSubscription(subscription.name()));
  HF_RETURN_IF_ERROR(ValidateLabels(subscription.labels().size()));
  HF_RETURN_IF_ERROR(RefuseUnimplemented(subscription));
  HF_RETURN_IF_ERROR(Filter::Parse(subscription.filter()));
  if (subscription.ack_deadline_seconds() == 0) {
    subscription.set_ack_deadline_seconds(kDefaultAckDeadline);
  }
  HF_RETURN_IF_ERROR(ValidateAckDeadline(subscription.ack_deadline_seconds(), false));
  if (!subscription.has_message_retention_duration()) {
    SetDuration(*subscription.mutable_message_retention_duration(), kDefaultRetention);
  }
  HF_RETURN_IF_ERROR(ValidateRange("message_retention_duration",
                                   ToDuration(subscription.message_retention_duration()),
                                   kRetentionMin, kRetentionMax));
  if (!subscription.has_expiration_policy()) {
    SetDuration(*subscription.mutable_expiration_policy()->mutable_ttl(), kDefaultExpiration);
  }
  if (subscription.expiration_policy().has_ttl()) {
    HF_RETURN_IF_ERROR(ValidateRange("expiration_policy.ttl",
                                     ToDuration(subscription.expiration_policy().ttl()),
                                     kExpirationMin, Duration::max()));
  }
  HF_RETURN_IF_ERROR(CompleteDeadLetterPolicy(subscription));
  return CompleteRetryPolicy(subscription);
}

Status ValidateTopicMask(const google::protobuf::FieldMask& mask) {
  static constexpr std::array<std::string_view, 7> kMutable = {"labels",
                                                               "message_retention_duration",
                                                               "message_storage_policy",
                                                               "kms_key_name",
                                                               "ingestion_data_source_settings",
                                                               "schema_settings",
                                                               "message_transforms"};
  return ValidateMask<wire::Topic>(mask, kMutable);
}

Status ValidateSubscriptionMask(const google::protobuf::FieldMask& mask) {
  static constexpr std::array<std::string_view, 13> kMutable = {"push_config",
                                                                "bigquery_config",
                                                                "cloud_storage_config",
                                                                "bigtable_config",
                                                                "ack_deadline_seconds",
                                                                "retain_acked_messages",
                                                                "message_retention_duration",
                                                                "labels",
                                                                "expiration_policy",
                                                                "dead_letter_policy",
                                                                "retry_policy",
                                                                "enable_exactly_once_delivery",
                                                                "message_transforms"};
  return ValidateMask<wire::Subscription>(mask, kMutable);
}

Status ValidatePublish(const wire::PublishRequest& request) {
  HF_RETURN_IF_ERROR(ProjectOfTopic(request.topic()));
  if (request.messages().empty()) return Invalid("messages: empty");
  if (request.messages_size() > kMessagesPerRequestMax) {
    return Invalid("messages: more than 1000 in one request");
  }
  if (request.ByteSizeLong() > kRequestBytesMax) {
    return Invalid("the request is larger than 10,000,000 bytes");
  }
  for (const wire::PubsubMessage& message : request.messages()) {
    HF_RETURN_IF_ERROR(ValidateMessage(message));
  }
  return Ok();
}

Status ValidateAckDeadline(int seconds_count, bool zero_allowed) {
  if (zero_allowed && seconds_count == 0) return Ok();
  if (seconds_count >= 10 && seconds_count <= 600) return Ok();
  return Invalid("ack deadline: must be from 10 to 600 seconds");
}

bool ReturnImmediately(const wire::PullRequest& request) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  return request.return_immediately();  // deprecated by Google, and still sent by clients
#pragma GCC diagnostic pop
}

Duration ToDuration(const google::protobuf::Duration& duration) {
  // The proto's own limit is 10,000 years; beyond the clock's range the value only needs to be
  // large.
  constexpr int64_t kSecondsMax = int64_t{1} << 40U;
  return seconds{std::clamp(duration.seconds(), -kSecondsMax, kSecondsMax)} +
         std::chrono::microseconds{duration.nanos() / 1000};
}

Timestamp ToTimestamp(const google::protobuf::Timestamp& timestamp) {
  google::protobuf::Duration since_epoch;
  since_epoch.set_seconds(timestamp.seconds());
  since_epoch.set_nanos(timestamp.nanos());
  return Timestamp{ToDuration(since_epoch)};
}

google::protobuf::Timestamp ToWire(Timestamp time) {
  const auto whole = std::chrono::floor<seconds>(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(whole.time_since_epoch().count());
  timestamp.set_nanos(static_cast<int32_t>((time - whole).count() * 1000));
  return timestamp;
}

DeliveryRules RulesOf(const wire::Subscription& settings) {
  DeliveryRules rules;
  rules.ordered = settings.enable_message_ordering();
  if (settings.has_dead_letter_policy()) {
    rules.attempts_max = settings.dead_letter_policy().max_delivery_attempts();
  }
  if (settings.has_retry_policy()) {
    rules.backoff_min = ToDuration(settings.retry_policy().minimum_backoff());
    rules.backoff_max = ToDuration(settings.retry_policy().maximum_backoff());
  }
  return rules;
}

}  // namespace holdfast::pubsub
