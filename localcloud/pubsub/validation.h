// Google's rules for what a Pub/Sub request may say, and the defaults it may leave out.
//
// Pure functions. All errors are kPubsubInvalidRequest and name the field, but for
// kPubsubUnimplemented where a field asks for a service that localcloud does not have (push,
// BigQuery and Cloud Storage delivery, schemas, ingestion, transforms).
// Source: google/pubsub/v1/pubsub.proto; cloud.google.com/pubsub/quotas.
#pragma once

#include <google/pubsub/v1/pubsub.pb.h>

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "localcloud/pubsub/delivery.h"

namespace holdfast::pubsub {

namespace wire = ::google::pubsub::v1;

// What the topic of a subscription is called once it is deleted.
inline constexpr std::string_view kDeletedTopic = "_deleted-topic_";

// The largest publish request and message, and what pulls hand out at once.
inline constexpr size_t kRequestBytesMax = 10'000'000;
inline constexpr int kMessagesPerRequestMax = 1000;
inline constexpr int kResourcesPerProjectMax = 10'000;

// kPubsubInvalidRequest with `message`.
Error Invalid(std::string message);

// Checks "projects/P/topics/T", "projects/P/subscriptions/S" or "projects/P"; returns P.
Result<std::string> ProjectOfTopic(std::string_view name);
Result<std::string> ProjectOfSubscription(std::string_view name);
Result<std::string> ProjectOfName(std::string_view name);

// "S" of "projects/P/subscriptions/S", which was checked before.
std::string_view LastSegment(std::string_view name);

// Name, labels (64 at most), retention (10 minutes to 31 days).
Status ValidateTopic(const wire::Topic& topic);

// Checks the settings and writes the defaults into them.
Status CompleteSubscription(wire::Subscription& subscription);

// Checks `mask` of an update: at least one path, all of which exist and may change.
Status ValidateTopicMask(const google::protobuf::FieldMask& mask);
Status ValidateSubscriptionMask(const google::protobuf::FieldMask& mask);

// The topic's name, 1 to kMessagesPerRequestMax messages in kRequestBytesMax, each with data or an
// attribute and attributes within their limits.
Status ValidatePublish(const wire::PublishRequest& request);

// 10..600, or 0 when `zero_allowed`.
Status ValidateAckDeadline(int seconds, bool zero_allowed);

// Whether a pull must not wait for the first message.
bool ReturnImmediately(const wire::PullRequest& request);

// Microseconds: what is finer is cut off, what the type cannot hold becomes very long.
Duration ToDuration(const google::protobuf::Duration& duration);
Timestamp ToTimestamp(const google::protobuf::Timestamp& timestamp);
google::protobuf::Timestamp ToWire(Timestamp time);

// The delivery rules that a subscription's settings, completed, amount to.
DeliveryRules RulesOf(const wire::Subscription& settings);

}  // namespace holdfast::pubsub
