"""The flow, one module a stage: collect, classify, rollup, detect, deliver; and digest."""
