<?php
/**
 * Fills a fresh WordPress with the demo site's content through WordPress' own functions. The same seed gives the
 * same content. Use: php seed.php <site directory> <seed> <extra files> <file for the answer>.
 */

list( , $site_dir, $seed, $extra_files, $answer_file ) = $argv;

// wp-load.php expects a web request around it.
$_SERVER += array( 'HTTP_HOST' => '127.0.0.1', 'REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/' );
require "$site_dir/wp-load.php";
require_once ABSPATH . 'wp-admin/includes/image.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
require __DIR__ . '/seed-texts.php';
require __DIR__ . '/seed-files.php';

mt_srand( (int) $seed );
wp_set_current_user( 1 );

function must( $result, $what ) {
	if ( ! $result || is_wp_error( $result ) ) {
		fwrite( STDERR, "Seeding failed: $what" . ( is_wp_error( $result ) ? ': ' . $result->get_error_message() : '' ) . "\n" );
		exit( 1 );
	}
	return $result;
}

/** One a week, so that the archive pages have several months. */
function demo_date( $index ) {
	return gmdate( 'Y-m-d H:i:s', gmmktime( 9, 30, 0, 1, 5, 2026 ) + $index * 7 * DAY_IN_SECONDS );
}

function insert_post( $type, $index, $title, $content, $extra = array() ) {
	$date = demo_date( $index );
	$post = array(
		'post_type'     => $type,
		'post_status'   => 'publish',
		'post_author'   => 1,
		'post_title'    => $title,
		'post_content'  => $content,
		'post_date'     => $date,
		'post_date_gmt' => $date,
	);
	return must( wp_insert_post( wp_slash( $post + $extra ), true ), "post $title" );
}

/** WordPress' own welcome texts make room for ours. */
function remove_welcome() {
	foreach ( get_posts( array( 'post_type' => array( 'post', 'page' ), 'post_status' => 'any', 'numberposts' => -1 ) ) as $post ) {
		wp_delete_post( $post->ID, true );
	}
}

function add_comments( $post_id, $index ) {
	$parent = 0;
	foreach ( demo_comments() as $number => list( $author, $text ) ) {
		if ( ( $number + $index ) % 3 === 0 ) {
			continue;
		}
		$comment = array(
			'comment_post_ID'      => $post_id,
			'comment_author'       => $author,
			'comment_author_email' => "visitor$number@example.com",
			'comment_author_IP'    => '127.0.0.1',
			'comment_content'      => $text,
			'comment_parent'       => $number % 2 ? $parent : 0,
			'comment_date'         => demo_date( $index + $number + 1 ),
			'comment_approved'     => 1,
		);
		$parent = must( wp_insert_comment( wp_slash( $comment ) ), "comment $number" );
	}
}

/** Binary receipts: every byte value, then noise. */
function add_orders() {
	global $wpdb;
	$all_bytes = implode( '', array_map( 'chr', range( 0, 255 ) ) );
	for ( $number = 1; $number <= 40; $number++ ) {
		$order = array(
			'customer'  => "Customer №$number",
			'total'     => mt_rand( 500, 25000 ) / 100,
			'placed_at' => demo_date( $number % 14 ),
			'receipt'   => $all_bytes . noise( 512 ),
			'note'      => $number % 5 ? null : "Back\\slash, 'quote' and \"double\" 🏺",
		);
		must( $wpdb->insert( demo_shop_table(), $order ), "order $number" );
	}
}

remove_welcome();
update_option( 'permalink_structure', '/%year%/%monthnum%/%postname%/' );
$GLOBALS['wp_rewrite']->init();
$GLOBALS['wp_rewrite']->flush_rules( false );
update_option( 'blogdescription', 'Stoneware by the harbour — “thrown, glazed & fired” here 🏺' );

$activation_error = activate_plugin( 'demo-shop/demo-shop.php' );
must( null === $activation_error, 'the plugin demo-shop does not activate' );
update_option( 'demo_shop_catalog', demo_catalog() );
update_option( 'demo_shop_settings', demo_settings(), false );
add_orders();

$images = add_images();
foreach ( demo_posts() as $index => list( $title, $content ) ) {
	$image   = $images[ $index % count( $images ) ];
	$path    = wp_make_link_relative( wp_get_attachment_url( $image ) );
	$figure  = "<!-- wp:image {\"id\":$image} -->\n<figure class=\"wp-block-image\"><img src=\"$path\" alt=\"\" class=\"wp-image-$image\"/></figure>\n<!-- /wp:image -->\n\n";
	$post_id = insert_post( 'post', $index, $title, $figure . $content );
	set_post_thumbnail( $post_id, $image );
	wp_set_object_terms( $post_id, $index % 2 ? 'Workshop' : 'Journal', 'category' );
	wp_set_post_tags( $post_id, array( 'clay', $index % 3 ? 'glaze' : 'kiln' ) );
	add_comments( $post_id, $index );
	$first_post  = $first_post ?? $post_id;
	$first_image = $first_image ?? $path;
}
foreach ( demo_pages() as $index => list( $title, $content ) ) {
	insert_post( 'page', $index, $title, $content );
}
add_other_files();
add_extra_files( (int) $extra_files );

$answer = array(
	'postPath'  => wp_make_link_relative( get_permalink( $first_post ) ),
	'imagePath' => $first_image,
);
must( false !== file_put_contents( $answer_file, wp_json_encode( $answer ) ), 'the answer' );
