"""What the demonstration needs: sample posts, a codebook, and a mailbox to read the alerts in."""
