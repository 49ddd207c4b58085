"""The lab as the engine sees it: containers, probes, costs, ports."""
