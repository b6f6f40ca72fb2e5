#include "observe/alert_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/policy_field.h"

namespace holdfast::observe {

namespace {

constexpr size_t kChannelsMax = 100;
constexpr size_t kRulesMax = 100;
constexpr size_t kRecipientsMax = 100;
constexpr Duration kRepeatMin = std::chrono::minutes{1};

Error Invalid(const std::string& where, std::string_view what) {
  return MakeError(ErrorId::kConfigInvalid, fmt::format("{} {}", where, what));
}

bool IsReference(std::string_view text) {
  return (text.starts_with("env:") && text.size() > 4) ||
         (text.starts_with("file:") && text.size() > 5);
}

// The members of one map; what is not asked for is a typing mistake.
class MapReader {
 public:
  static Result<MapReader> Open(const Json& json, std::string where,
                                std::initializer_list<std::string_view> known) {
    if (!json.is_object()) return Invalid(where, "is not a map");
    for (const auto& [key, value] : json.items()) {
      if (std::ranges::find(known, key) == known.end()) {
        return Invalid(where, fmt::format("has no member \"{}\"", key));
      }
    }
    return MapReader(json, std::move(where));
  }

  std::string At(std::string_view key) const { return where_ + "." + std::string(key); }
  const Json* Find(std::string_view key) const { return FindField(*json_, key); }

  // Absent: empty. Control characters are refused in all of them.
  Result<std::string> Text(std::string_view key, bool required = false) const {
    const Json* value = Find(key);
    if (value == nullptr) {
      if (required) return Invalid(At(key), "is missing");
      return std::string();
    }
    if (!value->is_string()) return Invalid(At(key), "is not a text");
    const auto& text = value->get_ref<const std::string&>();
    if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
      return Invalid(At(key), "has a control character in it");
    }
    if (required && text.empty()) return Invalid(At(key), "is empty");
    return text;
  }

  // One text or a list of them; absent: none.
  Result<std::vector<std::string>> Texts(std::string_view key, size_t count_max) const {
    std::vector<std::string> texts;
    const Json* value = Find(key);
    if (value == nullptr) return texts;
    if (value->is_string()) return std::vector{value->get<std::string>()};
    if (!value->is_array()) return Invalid(At(key), "is not a list");
    if (value->size() > count_max) {
      return Invalid(At(key), fmt::format("has more than {} items", count_max));
    }
    for (const Json& item : *value) {
      if (!item.is_string()) return Invalid(At(key), "is not a list of texts");
      texts.push_back(item.get<std::string>());
    }
    return texts;
  }

  Result<std::optional<Duration>> Span(std::string_view key) const {
    HF_ASSIGN_OR_RETURN(const std::string text, Text(key));
    if (text.empty()) return std::optional<Duration>();
    const auto span = ParsePolicyDuration(text);
    if (!span.ok() || *span < kRepeatMin) {
      return Invalid(At(key), fmt::format("is \"{}\": expected a duration such as 4h", text));
    }
    return std::optional<Duration>(*span);
  }

 private:
  MapReader(const Json& json, std::string where) : json_(&json), where_(std::move(where)) {}
  const Json* json_;
  std::string where_;
};

bool IsAddress(std::string_view text) {
  const size_t at = text.find('@');
  return text.size() <= 254 && at != 0 && at != text.npos && at + 1 < text.size() &&
         text.find('@', at + 1) == text.npos && std::ranges::all_of(text, [](char c) {
           return c > 0x20 && c < 0x7f &&
                  std::string_view("<>()[],;:\"\\").find(c) == std::string_view::npos;
         });
}

Status CheckEmail(const EmailChannel& email, const MapReader& reader) {
  const bool smtps = email.smtp_url.starts_with("smtps://");
  if (!email.smtp_url.starts_with("smtp://") && !smtps) {
    return Invalid(reader.At("smtp_url"), "is not an smtp:// or smtps:// URL");
  }
  if (email.smtp_url.find('@') != std::string::npos) {
    return Invalid(reader.At("smtp_url"), "holds a login: give `username` and `password`");
  }
  if (!IsAddress(email.from)) return Invalid(reader.At("from"), "is not a mail address");
  if (email.to.empty()) return Invalid(reader.At("to"), "is missing");
  for (const std::string& address : email.to) {
    if (!IsAddress(address)) {
      return Invalid(reader.At("to"), fmt::format("holds \"{}\", which is no address", address));
    }
  }
  if (email.username.empty() != email.password.empty()) {
    return Invalid(reader.At("username"), "and `password` go together");
  }
  if (!email.password.empty() && !IsReference(email.password)) {
    return Invalid(reader.At("password"), "is not a reference: write env:NAME or file:PATH");
  }
  if (!email.username.empty() && !email.require_tls && !smtps) {
    return Invalid(reader.At("starttls"), "is off, and a password would be sent in the clear");
  }
  return Ok();
}

Result<EmailChannel> ParseEmail(const Json& json, const std::string& where) {
  HF_ASSIGN_OR_RETURN(
      const MapReader reader,
      MapReader::Open(json, where,
                      {"smtp_url", "starttls", "username", "password", "from", "to", "ca_file"}));
  EmailChannel email;
  HF_ASSIGN_OR_RETURN(email.smtp_url, reader.Text("smtp_url", true));
  if (const Json* starttls = reader.Find("starttls")) {
    // `off` without quotes is a word to this parser, and false to others.
    const bool off = *starttls == "off" || *starttls == false;
    if (!off && *starttls != "required") {
      return Invalid(reader.At("starttls"), "is neither required nor off");
    }
    email.require_tls = !off;
  }
  HF_ASSIGN_OR_RETURN(email.username, reader.Text("username"));
  HF_ASSIGN_OR_RETURN(email.password, reader.Text("password"));
  HF_ASSIGN_OR_RETURN(email.from, reader.Text("from", true));
  HF_ASSIGN_OR_RETURN(email.to, reader.Texts("to", kRecipientsMax));
  HF_ASSIGN_OR_RETURN(email.ca_file, reader.Text("ca_file"));
  HF_RETURN_IF_ERROR(CheckEmail(email, reader));
  return email;
}

Result<WebhookChannel> ParseWebhook(const Json& json, const std::string& where) {
  HF_ASSIGN_OR_RETURN(const MapReader reader, MapReader::Open(json, where, {"url", "secret"}));
  WebhookChannel webhook;
  HF_ASSIGN_OR_RETURN(webhook.url, reader.Text("url", true));
  HF_ASSIGN_OR_RETURN(webhook.secret, reader.Text("secret"));
  if (!webhook.url.starts_with("https://") && !webhook.url.starts_with("http://") &&
      !IsReference(webhook.url)) {
    return Invalid(reader.At("url"), "is neither an https:// URL nor env:NAME or file:PATH");
  }
  if (!webhook.secret.empty() && !IsReference(webhook.secret)) {
    return Invalid(reader.At("secret"), "is not a reference: write env:NAME or file:PATH");
  }
  return webhook;
}

Result<AlertChannel> ParseChannel(const std::string& name, const Json& json) {
  const std::string where = "alerts.channels." + name;
  HF_ASSIGN_OR_RETURN(const MapReader reader, MapReader::Open(json, where, {"email", "webhook"}));
  AlertChannel channel{.name = name, .email = {}, .webhook = {}};
  const Json* email = reader.Find("email");
  const Json* webhook = reader.Find("webhook");
  if ((email == nullptr) == (webhook == nullptr)) {
    return Invalid(where, "is to have one of `email` and `webhook`");
  }
  if (email != nullptr) {
    HF_ASSIGN_OR_RETURN(channel.email, ParseEmail(*email, where + ".email"));
  } else {
    HF_ASSIGN_OR_RETURN(channel.webhook, ParseWebhook(*webhook, where + ".webhook"));
  }
  return channel;
}

Result<cloud::AlertSeverity> ParseSeverity(const std::string& text, const std::string& where) {
  using enum cloud::AlertSeverity;
  for (const auto severity : {kInfo, kWarning, kCritical}) {
    if (text == cloud::AlertSeverityName(severity)) return severity;
  }
  return Invalid(where, fmt::format("is \"{}\": expected info, warning or critical", text));
}

Result<AlertRule> ParseRule(const Json& json, const std::string& where,
                            const AlertSettings& settings) {
  HF_ASSIGN_OR_RETURN(
      const MapReader reader,
      MapReader::Open(json, where, {"kinds", "channels", "minimum_severity", "repeat_after"}));
  AlertRule rule;
  HF_ASSIGN_OR_RETURN(const auto kinds, reader.Texts("kinds", AllAlertKinds().size()));
  for (const std::string& kind : kinds) {
    const AlertKindEntry* entry = FindAlertKind(kind);
    if (entry == nullptr) {
      return Invalid(reader.At("kinds"), fmt::format("holds \"{}\", which is no kind", kind));
    }
    rule.kinds.push_back(entry->kind);
  }
  HF_ASSIGN_OR_RETURN(rule.channels, reader.Texts("channels", kChannelsMax));
  for (const std::string& channel : rule.channels) {
    if (settings.FindChannel(channel) == nullptr) {
      return Invalid(reader.At("channels"),
                     fmt::format("holds \"{}\", which is no channel", channel));
    }
  }
  HF_ASSIGN_OR_RETURN(const std::string severity, reader.Text("minimum_severity"));
  if (!severity.empty()) {
    HF_ASSIGN_OR_RETURN(rule.minimum_severity,
                        ParseSeverity(severity, reader.At("minimum_severity")));
  }
  HF_ASSIGN_OR_RETURN(rule.repeat_after, reader.Span("repeat_after"));
  return rule;
}

bool Fits(const AlertRule& rule, AlertKind kind, const std::string& channel) {
  return (rule.kinds.empty() || std::ranges::find(rule.kinds, kind) != rule.kinds.end()) &&
         (rule.channels.empty() ||
          std::ranges::find(rule.channels, channel) != rule.channels.end()) &&
         EntryOf(kind).severity >= rule.minimum_severity;
}

}  // namespace

const AlertChannel* AlertSettings::FindChannel(std::string_view name) const {
  const auto found = std::ranges::find(channels, name, &AlertChannel::name);
  return found == channels.end() ? nullptr : &*found;
}

std::optional<Duration> AlertSettings::RepeatAfter(AlertKind kind,
                                                   const std::string& channel) const {
  if (rules.empty()) return repeat_after;
  std::optional<Duration> shortest;
  for (const AlertRule& rule : rules) {
    if (!Fits(rule, kind, channel)) continue;
    const Duration span = rule.repeat_after.value_or(repeat_after);
    shortest = shortest ? std::min(*shortest, span) : span;
  }
  return shortest;
}

Result<AlertSettings> ParseAlertSettings(const Json& document) {
  AlertSettings settings;
  HF_ASSIGN_OR_RETURN(const MapReader reader,
                      MapReader::Open(document, "alerts", {"repeat_after", "channels", "rules"}));
  HF_ASSIGN_OR_RETURN(const auto repeat, reader.Span("repeat_after"));
  settings.repeat_after = repeat.value_or(settings.repeat_after);
  if (const Json* channels = reader.Find("channels")) {
    if (!channels->is_object()) return Invalid("alerts.channels", "is not a map");
    if (channels->size() > kChannelsMax) return Invalid("alerts.channels", "are too many");
    for (const auto& [name, channel] : channels->items()) {
      HF_ASSIGN_OR_RETURN(AlertChannel parsed, ParseChannel(name, channel));
      settings.channels.push_back(std::move(parsed));
    }
  }
  if (const Json* rules = reader.Find("rules")) {
    if (!rules->is_array()) return Invalid("alerts.rules", "is not a list");
    if (rules->size() > kRulesMax) return Invalid("alerts.rules", "are too many");
    for (size_t i = 0; i < rules->size(); ++i) {
      HF_ASSIGN_OR_RETURN(AlertRule rule,
                          ParseRule((*rules)[i], fmt::format("alerts.rules[{}]", i), settings));
      settings.rules.push_back(std::move(rule));
    }
  }
  return settings;
}

}  // namespace holdfast::observe
