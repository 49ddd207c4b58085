"""What the picture asks Prometheus.

A counter's rate is that of its last two samples, one second apart, so that the picture follows within two seconds. What
happens once, such as a loss at a restart, is shown for ten seconds.
"""

from __future__ import annotations

_LAST = "[5s]"  # irate takes the last two samples in it
_RECENT = "[10s]"


def _by(labels: str, expression: str) -> str:
    return f"sum by ({labels}) ({expression})"


EXPRESSIONS = {
    # Who is there now: a container that Prometheus cannot ask has no sample.
    "here": "max by (mechanism, role, container, ipc, net, instance) (ipc_namespace_info)",
    "placement": "max by (mechanism, role, instance, placement) (ipc_placement_info)",
    # Which sides were there a moment ago: one that is missing since then is drawn as missing.
    "sides": 'count by (mechanism, role) (last_over_time(ipc_namespace_info{mechanism!=""}[2m]))',
    "scraped": "count(up)",
    "sent": _by("mechanism", f"irate(ipc_messages_sent_total{_LAST})"),
    "received": _by("mechanism, instance", f"irate(ipc_messages_received_total{_LAST})"),
    "received_total": _by("mechanism", "ipc_messages_received_total"),
    "sent_total": _by("mechanism", "ipc_messages_sent_total"),
    "lost": f"{_by('mechanism', f'increase(ipc_messages_lost_total{_RECENT})')} > 0",
    "lost_total": _by("mechanism", "ipc_messages_lost_total"),
    "skipped": f"{_by('mechanism', f'increase(ipc_messages_skipped_total{_LAST})')} > 0",
    "corrupt": f"{_by('mechanism', f'increase(ipc_messages_corrupt_total{_RECENT})')} > 0",
    "errors": f"{_by('mechanism, errno', f'increase(ipc_send_errors_total{_LAST})')} > 0",
    "in_flight": "max by (mechanism) (mechanism:ipc_messages:in_flight)",
    "median": "max by (mechanism) (mechanism:ipc_one_way_latency_seconds:p50_5s)",
    "p99": "max by (mechanism) (mechanism:ipc_one_way_latency_seconds:p99_5s)",
    "open": "max by (mechanism, role, instance) (ipc_channel_open)",
    "size": "max by (mechanism) (ipc_message_size_bytes)",
    "wanted": "sum by (mechanism) (ipc_load_rate)",
    "cpu": f"{_by('instance', f'rate(ipc_cpu_seconds_total{_LAST})')}",
    "fixed_cpu": f"{_by('instance', f'rate(ipc_fixed_cpu_seconds_total{_LAST})')}",
    "memory": "max by (instance) (ipc_container_memory_bytes)",
    "memory_limit": "max by (instance) (ipc_container_memory_limit_bytes)",
    "descriptors": "max by (instance) (ipc_open_descriptors)",
    "restarts": "max by (instance) (changes(ipc_process_start_time_seconds[5m]))",
    "buffer": "max by (mechanism, role) (ipc_kernel_buffer_bytes)",
    "buffer_limit": "max by (mechanism, role) (ipc_kernel_buffer_limit_bytes)",
    "switch": "min by (mechanism, switch) (ipc_switch_on)",
    "lost_updates": f"{_by('mechanism', f'increase(ipc_shared_updates_lost_total{_RECENT})')} > 0",
    "torn_reads": f"{_by('mechanism', f'increase(ipc_shared_records_torn_total{_RECENT})')} > 0",
    "segment_bytes": "max by (owner, key, id, name) (ipc_kernel_shm_size_bytes)",
    "segment_attached": "max by (owner, key, id) (ipc_kernel_shm_attachments)",
    "queue_messages": "max by (owner, key, id, name) (ipc_kernel_queue_messages)",
    "queue_bytes": "max by (owner, key, id, name) (ipc_kernel_queue_bytes)",
    "queue_limit_bytes": "max by (owner, key, id) (ipc_kernel_queue_limit_bytes)",
    "queue_limit_messages": "max by (owner, name) (ipc_kernel_queue_limit_messages)",
    "semaphores": "sum by (owner) (ipc_kernel_semaphores)",
    "dev_shm_used": "max(ipc_kernel_dev_shm_used_bytes)",
    "dev_shm_limit": "max(ipc_kernel_dev_shm_limit_bytes)",
    "reached": "count by (placement) (probe_success)",
}
