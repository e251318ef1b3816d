"""What every experiment uses: metrics, and sums by arm."""
