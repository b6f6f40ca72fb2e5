#!/usr/bin/env python3
"""Google's own Pub/Sub client (google-cloud-pubsub) against localcloud: a scripted session.

Reads PUBSUB_EMULATOR_HOST, as every client of Google's does. Prints one line per step, and exits
with 0 when all of them hold. Every run uses a project of its own, so it may be run again.
"""

import os
import queue
import sys
import threading
import time
import uuid

from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.protobuf import field_mask_pb2, timestamp_pb2

PROJECT = f"interop-{uuid.uuid4().hex[:8]}"
WAIT_S = 30  # the longest that any step waits for what must come

publisher = pubsub_v1.PublisherClient()
ordered_publisher = pubsub_v1.PublisherClient(
    publisher_options=pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
)
subscriber = pubsub_v1.SubscriberClient()


def topic_path(name):
    return publisher.topic_path(PROJECT, name)


def subscription_path(name):
    return subscriber.subscription_path(PROJECT, name)


def subscribe(name, topic, **settings):
    """Makes a subscription; returns its path."""
    path = subscription_path(name)
    subscriber.create_subscription(
        request={"name": path, "topic": topic_path(topic), **settings}
    )
    return path


def publish(topic, data, **attributes):
    return publisher.publish(topic_path(topic), data, **attributes).result(WAIT_S)


def pull(path, count, max_messages=100):
    """Pulls until `count` messages have come; fails after WAIT_S."""
    received = []
    end = time.monotonic() + WAIT_S
    while len(received) < count:
        assert time.monotonic() < end, f"only {len(received)} of {count} messages came"
        response = subscriber.pull(
            request={"subscription": path, "max_messages": max_messages}, timeout=WAIT_S
        )
        received.extend(response.received_messages)
    return received


def pull_nothing(path):
    """Says whether nothing is ready."""
    response = subscriber.pull(
        request={"subscription": path, "max_messages": 10, "return_immediately": True}
    )
    return not response.received_messages


def acknowledge(path, received):
    subscriber.acknowledge(
        request={"subscription": path, "ack_ids": [r.ack_id for r in received]}
    )


def refused(kind, call):
    """Says whether `call` fails with the exception `kind`."""
    try:
        call()
    except kind:
        return True
    return False


def step_topics_and_subscriptions():
    topic = publisher.create_topic(
        request={"name": topic_path("news"), "labels": {"team": "a"}}
    )
    assert topic.labels["team"] == "a"
    assert refused(
        exceptions.AlreadyExists,
        lambda: publisher.create_topic(request={"name": topic_path("news")}),
    )
    assert refused(
        exceptions.InvalidArgument,
        lambda: publisher.create_topic(request={"name": topic_path("1x")}),
    )
    path = subscribe("all", "news")
    subscription = subscriber.get_subscription(request={"subscription": path})
    assert subscription.ack_deadline_seconds == 10
    assert subscription.message_retention_duration.days == 7
    updated = subscriber.update_subscription(
        request={
            "subscription": {"name": path, "ack_deadline_seconds": 20},
            "update_mask": field_mask_pb2.FieldMask(paths=["ack_deadline_seconds"]),
        }
    )
    assert updated.ack_deadline_seconds == 20
    assert list(publisher.list_topic_subscriptions(request={"topic": topic_path("news")})) == [path]


def step_pages():
    names = {topic_path(f"page-{i}") for i in range(5)}
    for name in names:
        publisher.create_topic(request={"name": name})
    pager = publisher.list_topics(
        request={"project": f"projects/{PROJECT}", "page_size": 2}
    )
    pages = list(pager.pages)
    assert len(pages) == 3, len(pages)
    assert {t.name for page in pages for t in page.topics} == names | {topic_path("news")}


def step_publish_and_pull():
    ids = [publish("news", b"a\x00\xff", key="value"), publish("news", "ü".encode())]
    assert int(ids[0]) < int(ids[1])
    received = pull(subscription_path("all"), 2)
    by_id = {r.message.message_id: r.message for r in received}
    assert by_id[ids[0]].data == b"a\x00\xff"
    assert dict(by_id[ids[0]].attributes) == {"key": "value"}
    assert abs(by_id[ids[0]].publish_time.timestamp() - time.time()) < 60
    assert pull_nothing(subscription_path("all")), "leased messages came again"
    acknowledge(subscription_path("all"), received)
    assert refused(
        exceptions.InvalidArgument,
        lambda: subscriber.acknowledge(
            request={"subscription": subscription_path("all"), "ack_ids": ["nonsense"]}
        ),
    )
    assert refused(
        exceptions.NotFound,
        lambda: subscriber.pull(
            request={"subscription": subscription_path("absent"), "max_messages": 1}
        ),
    )


def step_give_back():
    path = subscription_path("all")
    publish("news", b"again")
    (first,) = pull(path, 1)
    subscriber.modify_ack_deadline(
        request={"subscription": path, "ack_ids": [first.ack_id], "ack_deadline_seconds": 0}
    )
    (second,) = pull(path, 1)
    assert second.message.message_id == first.message.message_id
    assert second.ack_id != first.ack_id
    acknowledge(path, [second])


def step_ordering():
    publisher.create_topic(request={"name": topic_path("ordered")})
    path = subscribe("ordered", "ordered", enable_message_ordering=True)
    futures = [
        ordered_publisher.publish(topic_path("ordered"), f"{i}".encode(), ordering_key=f"k{i % 2}")
        for i in range(20)
    ]
    for future in futures:
        future.result(WAIT_S)
    seen = {"k0": [], "k1": []}
    while sum(map(len, seen.values())) < 20:
        received = pull(path, 1, max_messages=3)
        for r in received:
            seen[r.message.ordering_key].append(int(r.message.data))
        acknowledge(path, received)
    assert seen == {"k0": list(range(0, 20, 2)), "k1": list(range(1, 20, 2))}, seen


def step_streaming_pull():
    publisher.create_topic(request={"name": topic_path("stream")})
    path = subscribe("stream", "stream")
    count = 500
    lock = threading.Lock()
    done = queue.Queue()
    nacked = set()

    def callback(message):
        number = int(message.data)
        with lock:
            nack = number % 50 == 0 and number not in nacked
            if nack:
                nacked.add(number)
        if nack:
            message.nack()
        else:
            message.ack()
            done.put(number)

    stream = subscriber.subscribe(
        path, callback, flow_control=pubsub_v1.types.FlowControl(max_messages=50)
    )
    futures = [publisher.publish(topic_path("stream"), f"{i}".encode()) for i in range(count)]
    for future in futures:
        future.result(WAIT_S)
    finished = set()
    end = time.monotonic() + WAIT_S
    while len(finished) < count:
        finished.add(done.get(timeout=max(0.1, end - time.monotonic())))
    stream.cancel()
    stream.result(WAIT_S)
    assert len(nacked) == 10, nacked
    assert pull_nothing(path), "an acknowledged message came again"


def step_exactly_once_flag():
    path = subscribe("exactly", "stream", enable_exactly_once_delivery=True)
    assert subscriber.get_subscription(request={"subscription": path}).enable_exactly_once_delivery
    results = queue.Queue()

    def callback(message):
        results.put(message.ack_with_response())

    stream = subscriber.subscribe(path, callback)
    publish("stream", b"once")
    results.get(timeout=WAIT_S).result(WAIT_S)
    stream.cancel()
    stream.result(WAIT_S)


def step_dead_letter():
    publisher.create_topic(request={"name": topic_path("dead")})
    dead = subscribe("dead", "dead")
    path = subscribe(
        "failing",
        "news",
        dead_letter_policy={"dead_letter_topic": topic_path("dead"), "max_delivery_attempts": 5},
    )
    publish("news", b"poison", reason="none")
    for attempt in range(1, 6):
        (received,) = pull(path, 1)
        assert received.delivery_attempt == attempt, received.delivery_attempt
        subscriber.modify_ack_deadline(
            request={
                "subscription": path,
                "ack_ids": [received.ack_id],
                "ack_deadline_seconds": 0,
            }
        )
    (letter,) = pull(dead, 1)
    assert letter.message.data == b"poison"
    assert letter.message.attributes["reason"] == "none"
    assert letter.message.attributes["CloudPubSubDeadLetterSourceSubscription"] == "failing"
    assert pull_nothing(path)


def step_filter():
    path = subscribe("filtered", "news", filter='attributes.lang = "en" AND NOT attributes:draft')
    publish("news", b"de", lang="de")
    publish("news", b"draft", lang="en", draft="")
    publish("news", b"en", lang="en")
    assert [r.message.data for r in pull(path, 1)] == [b"en"]
    assert refused(
        exceptions.InvalidArgument, lambda: subscribe("bad-filter", "news", filter="nonsense")
    )


def step_seek():
    path = subscribe("replay", "news", retain_acked_messages=True)
    before = timestamp_pb2.Timestamp()
    before.GetCurrentTime()
    publish("news", b"kept")
    acknowledge(path, pull(path, 1))
    assert pull_nothing(path)
    subscriber.seek(request={"subscription": path, "time": before})
    assert [r.message.data for r in pull(path, 1)] == [b"kept"]
    after = timestamp_pb2.Timestamp(seconds=int(time.time()) + 60)
    subscriber.seek(request={"subscription": path, "time": after})
    assert pull_nothing(path)


def step_lease_runs_out():
    path = subscribe("slow", "news")
    publish("news", b"slow")
    (first,) = pull(path, 1)
    started = time.monotonic()
    (second,) = pull(path, 1)
    assert second.message.message_id == first.message.message_id
    assert time.monotonic() - started > 8, "the lease of 10 s ended early"


def step_deleted_topic():
    publisher.create_topic(request={"name": topic_path("gone")})
    path = subscribe("orphan", "gone")
    publish("gone", b"left")
    publisher.delete_topic(request={"topic": topic_path("gone")})
    assert subscriber.get_subscription(request={"subscription": path}).topic == "_deleted-topic_"
    assert [r.message.data for r in pull(path, 1)] == [b"left"]
    assert refused(exceptions.NotFound, lambda: publish("gone", b"x"))
    subscriber.delete_subscription(request={"subscription": path})
    assert refused(
        exceptions.NotFound,
        lambda: subscriber.get_subscription(request={"subscription": path}),
    )


def step_unimplemented():
    assert refused(
        exceptions.MethodNotImplemented,
        lambda: subscriber.create_snapshot(
            request={
                "name": subscriber.snapshot_path(PROJECT, "snap"),
                "subscription": subscription_path("all"),
            }
        ),
    )
    assert refused(
        exceptions.MethodNotImplemented,
        lambda: subscribe("push", "news", push_config={"push_endpoint": "https://example.com/x"}),
    )


STEPS = [
    step_topics_and_subscriptions,
    step_pages,
    step_publish_and_pull,
    step_give_back,
    step_ordering,
    step_streaming_pull,
    step_exactly_once_flag,
    step_dead_letter,
    step_filter,
    step_seek,
    step_lease_runs_out,
    step_deleted_topic,
    step_unimplemented,
]


def main():
    if "PUBSUB_EMULATOR_HOST" not in os.environ:
        sys.exit("PUBSUB_EMULATOR_HOST is not set: this session is for localcloud only")
    for step in STEPS:
        started = time.monotonic()
        step()
        name = step.__name__.removeprefix("step_").replace("_", " ")
        print(f"pubsub: {name}: ok ({time.monotonic() - started:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
